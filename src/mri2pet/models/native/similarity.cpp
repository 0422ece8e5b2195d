// Structural similarity of volumes with a Gaussian window, and its gradient; float32, (N, X, Y, Z) in memory.
//
// The filter goes along z and y within a plane and along x over the last planes, which stay in the
// processor's cache. Zeros around (`pad`) make of it the filter of the gradient.
#include "vectors.hpp"

constexpr float C1 = 0.01f * 0.01f, C2 = 0.03f * 0.03f;  // of Wang (2004), for a data range of 1
constexpr int MAPS = 5;                                   // smoothed x, x x, x y, y, y y

struct Window {
  const float* weights;  // symmetric
  long size;
};

struct Grid {
  long x, y, z;
  long plane() const { return y * z; }
  long voxels() const { return x * y * z; }
  Grid smoothed(long pad, const Window& window) const {
    long more = 2 * pad - window.size + 1;
    return Grid{x + more, y + more, z + more};
  }
};

// Rows that are added up with weights; those beyond the edge are zeros and left out.
class Sum {
 public:
  explicit Sum(const Window& window) : window_(window), rows_(window.size), weights_(window.size) {}

  // to[k] = sum over t of weights[t] * row(t)[k], k < length; length is a multiple of LANES.
  template <class Row>
  void of(Row row, long length, float* to) {
    count_ = 0;
    for (long t = 0; t < window_.size; t++)
      if (const float* from = row(t)) rows_[count_] = from, weights_[count_++] = window_.weights[t];
    for (long k = 0; k < length;) {
      long wide = std::min<long>((length - k) / LANES, 4);
      if (wide == 4) part<4>(k, to);
      else if (wide == 3) part<3>(k, to);
      else if (wide == 2) part<2>(k, to);
      else part<1>(k, to);
      k += wide * LANES;
    }
  }

 private:
  template <int WIDE>
  void part(long k, float* to) const {
    Vec total[WIDE] = {};
    for (long t = 0; t < count_; t++)
      for (int v = 0; v < WIDE; v++) total[v] += load(rows_[t] + k + v * LANES) * weights_[t];
    for (int v = 0; v < WIDE; v++) store(to + k + v * LANES, total[v]);
  }

  const Window& window_;
  long count_ = 0;
  std::vector<const float*> rows_;
  std::vector<float> weights_;
};

// Smooth one volume. fill(i, j, row) writes row j of plane i of the input.
template <class Fill>
static void smooth(const Grid& grid, const Window& window, long pad, Fill fill, float* result) {
  Grid out = grid.smoothed(pad, window);
  long length = rounded_up(out.z), longest = length + window.size + LANES;
  Floats line = zeros(longest), along_z = zeros(grid.y * length), ring = zeros(window.size * out.y * length), row = zeros(length);
  Sum sum(window);
  for (long i = 0; i < grid.x + pad; i++) {
    if (i < grid.x) {
      for (long j = 0; j < grid.y; j++) {
        fill(i, j, &line[pad]);
        sum.of([&](long t) { return &line[t]; }, length, &along_z[j * length]);
      }
      for (long j = 0; j < out.y; j++)
        sum.of([&](long t) {
          long at = j - pad + t;
          return at < 0 || at >= grid.y ? nullptr : &along_z[at * length];
        }, length, &ring[(i % window.size * out.y + j) * length]);
    }
    long done = i - window.size + 1 + pad;  // the plane of the output that this one ends
    if (done < 0 || done >= out.x) continue;
    for (long j = 0; j < out.y; j++) {
      sum.of([&](long t) {
        long at = done - pad + t;
        return at < 0 || at >= grid.x ? nullptr : &ring[(at % window.size * out.y + j) * length];
      }, length, row.get());
      std::memcpy(result + (done * out.y + j) * out.z, row.get(), out.z * sizeof(float));
    }
  }
}

// What similarity is made of, at one voxel (or at many, side by side).
template <class T>
struct Parts {
  T mean_x, mean_y, contrast, luminance, variances, means;
  Parts(T x, T xx, T xy, T y, T yy)
      : mean_x(x),
        mean_y(y),
        variances(xx - x * x + yy - y * y + C2),
        means(x * x + y * y + C1) {
    contrast = (2.0f * (xy - x * y) + C2) / variances;
    luminance = (2.0f * x * y + C1) / means;
  }
};

// maps: (N, 5, x, y, z) where the window fits; sums (N, 2): means of similarity and of contrast alone.
extern "C" void similarity(const float* x, const float* y, const float* weights, float* maps, double* sums, const long* numbers, int threads) {
  Grid grid{numbers[1], numbers[2], numbers[3]};
  Window window{weights, numbers[4]};
  Grid out = grid.smoothed(0, window);
  deal_out(numbers[0] * MAPS, threads, [&](long item) {
    const float *a = x + item / MAPS * grid.voxels(), *b = y + item / MAPS * grid.voxels();
    long map = item % MAPS;
    smooth(grid, window, 0, [&](long i, long j, float* row) {
      const float *p = a + i * grid.plane() + j * grid.z, *q = b + i * grid.plane() + j * grid.z;
      const float *first = map < 3 ? p : q, *second = map == 1 ? p : q;
      if (map == 0 || map == 3) std::memcpy(row, first, grid.z * sizeof(float));
      else for (long k = 0; k < grid.z; k++) row[k] = first[k] * second[k];
    }, maps + item * out.voxels());
  });
  deal_out(numbers[0], threads, [&](long item) {
    const float* m = maps + item * MAPS * out.voxels();
    long n = out.voxels(), at = 0;
    double whole = 0, alone = 0;
    for (; at + LANES <= n; at += LANES) {
      Parts<Vec> p(load(m + at), load(m + n + at), load(m + 2 * n + at), load(m + 3 * n + at), load(m + 4 * n + at));
      whole += sum(p.luminance * p.contrast), alone += sum(p.contrast);
    }
    for (; at < n; at++) {
      Parts<float> p(m[at], m[n + at], m[2 * n + at], m[3 * n + at], m[4 * n + at]);
      whole += p.luminance * p.contrast, alone += p.contrast;
    }
    sums[2 * item] = whole / n, sums[2 * item + 1] = alone / n;
  });
}

// Gradients of the smoothed x, x x and x y, from those of similarity (`of_both`) and of contrast alone.
template <class T>
static void back(const Parts<T>& p, float of_both, float of_contrast, T& of_x, T& of_xx, T& of_xy) {
  T own = (p.luminance * of_both + of_contrast) / p.variances;
  of_xy = own * 2.0f;
  of_xx = -own * p.contrast;
  of_x = own * 2.0f * (p.contrast * p.mean_x - p.mean_y) + of_both * p.contrast * 2.0f * (p.mean_y - p.luminance * p.mean_x) / p.means;
}

// The gradient of x; `gradients` (N, 2) are those of the two means.
extern "C" void similarity_back(const float* x, const float* y, const float* weights, const float* maps, const float* gradients, float* of_x,
                                const long* numbers, int threads) {
  Grid grid{numbers[1], numbers[2], numbers[3]};
  Window window{weights, numbers[4]};
  Grid out = grid.smoothed(0, window);
  deal_out(numbers[0], threads, [&](long item) {
    const float *m = maps + item * MAPS * out.voxels(), *a = x + item * grid.voxels(), *b = y + item * grid.voxels();
    long n = out.voxels(), at = 0;
    float both = gradients[2 * item] / n, alone = gradients[2 * item + 1] / n, *to = of_x + item * grid.voxels();
    Floats of = zeros(3 * n), wide = zeros(3 * grid.voxels());
    for (; at + LANES <= n; at += LANES) {
      Parts<Vec> p(load(m + at), load(m + n + at), load(m + 2 * n + at), load(m + 3 * n + at), load(m + 4 * n + at));
      Vec first, second, third;
      back(p, both, alone, first, second, third);
      store(&of[at], first), store(&of[n + at], second), store(&of[2 * n + at], third);
    }
    for (; at < n; at++) {
      Parts<float> p(m[at], m[n + at], m[2 * n + at], m[3 * n + at], m[4 * n + at]);
      back(p, both, alone, of[at], of[n + at], of[2 * n + at]);
    }
    for (long map = 0; map < 3; map++) {
      const float* own = &of[map * n];
      smooth(out, window, window.size - 1, [&](long i, long j, float* row) {
        std::memcpy(row, own + (i * out.y + j) * out.z, out.z * sizeof(float));
      }, &wide[map * grid.voxels()]);
    }
    for (long k = 0; k < grid.voxels(); k++)
      to[k] = wide[k] + 2 * a[k] * wide[grid.voxels() + k] + b[k] * wide[2 * grid.voxels() + k];
  });
}
