// The way between two grids of which one has half the voxels a side: maxima of 2x2x2 voxels, and
// transposed convolutions of kernel and stride 2. float32, (N, C, X, Y, Z) in memory.
#include "vectors.hpp"

// Largest of 2x2x2 voxels; `planes` is N * C, and sides are those of the result.
extern "C" void halve(const float* x, float* result, const long* numbers, int threads) {
  long planes = numbers[0], nx = numbers[1], ny = numbers[2], nz = numbers[3], area = 4 * ny * nz;
  deal_out(planes * nx, threads, [&](long item) {
    const float* from = x + item * 2 * area;
    float* to = result + item * ny * nz;
    for (long j = 0; j < ny; j++, to += nz) {
      const float *a = from + 4 * j * nz, *b = a + 2 * nz, *c = a + area, *d = c + 2 * nz;
      for (long k = 0; k < nz; k++) {
        float one = std::max(std::max(a[2 * k], a[2 * k + 1]), std::max(b[2 * k], b[2 * k + 1]));
        float two = std::max(std::max(c[2 * k], c[2 * k + 1]), std::max(d[2 * k], d[2 * k + 1]));
        to[k] = std::max(one, two);
      }
    }
  });
}

// Its gradient: that of a maximum goes to the first voxel that has it. What came back to x by
// another way (`other`, or null) is added: planes of `channels`, the volumes `stride` apart.
extern "C" void halve_back(const float* gradient, const float* x, const float* result, const float* other, float* of_x, const long* numbers,
                           int threads) {
  long planes = numbers[0], nx = numbers[1], ny = numbers[2], nz = numbers[3], area = 4 * ny * nz;
  long channels = numbers[4], stride = numbers[5];
  deal_out(planes * nx, threads, [&](long item) {
    const long rows[4] = {0, 2 * nz, area, area + 2 * nz};
    long plane = item / nx, offset = (plane / channels) * stride + ((plane % channels) * nx + item % nx) * 2 * area;
    std::vector<int> open(nz);
    for (long j = 0; j < ny; j++) {
      const float *g = gradient + (item * ny + j) * nz, *top = result + (item * ny + j) * nz;
      std::fill(open.begin(), open.end(), 1);
      for (long row : rows) {
        const float* from = x + item * 2 * area + 4 * j * nz + row;
        float* to = of_x + item * 2 * area + 4 * j * nz + row;
        if (other) std::memcpy(to, other + offset + 4 * j * nz + row, 2 * nz * sizeof(float));
        else std::memset(to, 0, 2 * nz * sizeof(float));
        int* left = open.data();
        for (long k = 0; k < nz; k++) {
          int first = left[k] & (from[2 * k] == top[k]), second = left[k] & (1 - first) & (from[2 * k + 1] == top[k]);
          to[2 * k] += first ? g[k] : 0.0f;
          to[2 * k + 1] += second ? g[k] : 0.0f;
          left[k] &= 1 - first - second;
        }
      }
    }
  });
}

struct Sizes {
  long batch, in, out, x, y, z, room;  // sides of the coarse grid
  long row() const { return rounded_up(z); }
  long voxels() const { return x * y * z; }
};

// Transposed convolution: weight (in, out, 2, 2, 2), bias (out) or null, into the first `out` of
// `room` channels.
extern "C" void double_grid(const float* x, const float* weight, const float* bias, float* result, const long* numbers, int threads) {
  Sizes s{numbers[0], numbers[1], numbers[2], numbers[3], numbers[4], numbers[5], numbers[6]};
  deal_out(s.batch * s.x, threads, [&](long item) {
    long b = item / s.x, i = item % s.x;
    Floats coarse = zeros(s.in * s.row()), even = zeros(s.row()), odd = zeros(s.row());
    for (long j = 0; j < s.y; j++) {
      for (long c = 0; c < s.in; c++)
        std::memcpy(&coarse[c * s.row()], x + ((b * s.in + c) * s.x + i) * s.y * s.z + j * s.z, s.z * sizeof(float));
      for (long o = 0; o < s.out; o++)
        for (int corner = 0; corner < 4; corner++) {
          float start = bias ? bias[o] : 0.0f;
          for (long k = 0; k < s.row(); k += LANES) {
            Vec first = Vec{} + start, second = first;
            for (long c = 0; c < s.in; c++) {
              const float* w = weight + (c * s.out + o) * 8 + 2 * corner;
              Vec value = load(&coarse[c * s.row() + k]);
              first += value * w[0], second += value * w[1];
            }
            store(&even[k], first), store(&odd[k], second);
          }
          float* to = result + (b * s.room + o) * 8 * s.voxels() + ((2 * i + corner / 2) * 2 * s.y + 2 * j + corner % 2) * 2 * s.z;
          for (long k = 0; k < s.z; k++) to[2 * k] = even[k], to[2 * k + 1] = odd[k];
        }
    }
  });
}

// Its gradients, from the first `out` of `room` channels; of_x may be null.
extern "C" void double_grid_back(const float* gradient, const float* x, const float* weight, float* of_x, float* of_weight, const long* numbers,
                                 int threads) {
  Sizes s{numbers[0], numbers[1], numbers[2], numbers[3], numbers[4], numbers[5], numbers[6]};
  long taps = 8 * s.out, size = s.in * taps;
  std::vector<double> parts(s.batch * s.x * size);
  deal_out(s.batch * s.x, threads, [&](long item) {
    long b = item / s.x, i = item % s.x;
    Floats fine = zeros(taps * s.row()), coarse = zeros(s.row()), total = zeros(s.row());
    std::vector<Vec> sums(size);
    for (long j = 0; j < s.y; j++) {
      for (long o = 0; o < s.out; o++)
        for (int corner = 0; corner < 4; corner++) {
          const float* from = gradient + (b * s.room + o) * 8 * s.voxels() + ((2 * i + corner / 2) * 2 * s.y + 2 * j + corner % 2) * 2 * s.z;
          float *even = &fine[(o * 8 + 2 * corner) * s.row()], *odd = even + s.row();
          for (long k = 0; k < s.z; k++) even[k] = from[2 * k], odd[k] = from[2 * k + 1];
        }
      for (long c = 0; c < s.in; c++) {
        long place = ((b * s.in + c) * s.x + i) * s.y * s.z + j * s.z;
        std::memcpy(coarse.get(), x + place, s.z * sizeof(float));
        for (long k = 0; k < s.row(); k += LANES) {
          Vec value = load(&coarse[k]), back{};
          for (long t = 0; t < taps; t++) {
            Vec own = load(&fine[t * s.row() + k]);
            back += own * weight[c * taps + t];
            sums[c * taps + t] += own * value;
          }
          store(&total[k], back);
        }
        if (of_x) std::memcpy(of_x + place, total.get(), s.z * sizeof(float));
      }
    }
    for (long e = 0; e < size; e++) parts[item * size + e] = sum(sums[e]);
  });
  for (long e = 0; e < size; e++) {
    double whole = 0;
    for (long item = 0; item < s.batch * s.x; item++) whole += parts[item * size + e];
    of_weight[e] = (float)whole;
  }
}
