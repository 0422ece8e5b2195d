// 3x3x3 convolutions of few channels, stride 1, zeros around; float32, (N, C, X, Y, Z) in memory.
//
// Two planes of the output are made together, from four of the input, by Winograd's F(2, 3) along x:
// four products where six would be needed (Lavin and Gray 2016). Within a plane a vector holds
// neighbours along z; of a row a few vectors of a few channels stay in registers while their products
// are added.
#include "vectors.hpp"

constexpr long ROWS = 8;  // of the gradient's, that stay in the cache
constexpr int MIXED = 4;   // planes that two of the output follow from

struct Sizes {
  long batch, in, out, groups;  // channels of one group
  long x, y, z;                 // of the input
  long pad, step;               // zeros around; distance between taps (dilation)
  long out_x() const { return x + 2 * pad - 2 * step; }
  long out_y() const { return y + 2 * pad - 2 * step; }
  long out_z() const { return z + 2 * pad - 2 * step; }
  long slab() const { return 2 * step * std::max(1L, 8 / step); }  // planes that are worked on at once
  long slabs() const { return (out_x() + slab() - 1) / slab(); }
  long items() const { return batch * groups * slabs(); }
};

// What one item of work is: a slab of planes of one group of one volume.
struct Item {
  long batch, group, first, last;
  Item(const Sizes& sizes, long item)
      : batch(item / sizes.slabs() / sizes.groups),
        group(item / sizes.slabs() % sizes.groups),
        first(item % sizes.slabs() * sizes.slab()),
        last(std::min(sizes.out_x(), first + sizes.slab())) {}
};

// Call work(i) for the first of every two planes, i and i + step, of a slab.
template <class Work>
static void each_pair(const Sizes& sizes, const Item& item, Work work) {
  for (long base = item.first; base < item.last; base += 2 * sizes.step)
    for (long i = base; i < std::min(item.last, base + sizes.step); i++) work(i);
}

// The four mixtures of input planes that two planes of the output follow from, with zeros around.
class Mixtures {
 public:
  long row, plane, one;  // floats to the next row, channel and mixture

  Mixtures(const float* source, const Sizes& sizes)
      : row(rounded_up(std::max(sizes.z, sizes.out_z())) + 2 * LANES),
        plane((sizes.y + 2 * sizes.pad) * row),
        one(sizes.in * plane),
        source_(source),
        sizes_(sizes),
        store_(zeros(MIXED * one + LANES)),
        nothing_(zeros(sizes.z)) {}

  // Mix for output planes i and i + step; returns the first tap (y = -pad, z = -pad) of the first.
  const float* of(long i) {
    for (long c = 0; c < sizes_.in; c++)
      for (long j = 0; j < sizes_.y; j++) {
        const float *a = line(i, 0, c, j), *b = line(i, 1, c, j), *d = line(i, 2, c, j), *e = line(i, 3, c, j);
        float* to = &store_[c * plane + (j + sizes_.pad) * row + LANES];
        for (long k = 0; k < sizes_.z; k++) to[k] = a[k] - d[k];
        for (long k = 0; k < sizes_.z; k++) to[one + k] = b[k] + d[k];
        for (long k = 0; k < sizes_.z; k++) to[2 * one + k] = d[k] - b[k];
        for (long k = 0; k < sizes_.z; k++) to[3 * one + k] = b[k] - e[k];
      }
    return &store_[LANES - sizes_.pad];
  }

 private:
  const float* line(long i, long tap, long channel, long j) const {
    long at = i - sizes_.pad + tap * sizes_.step;
    return at < 0 || at >= sizes_.x ? nothing_.get() : source_ + ((channel * sizes_.x + at) * sizes_.y + j) * sizes_.z;
  }

  const float* source_;
  const Sizes& sizes_;
  Floats store_, nothing_;
};

// OUT channels by WIDE vectors of one row of one mixture's product.
template <int OUT, int WIDE>
static void part_of_row(const float* from, const Mixtures& mixed, const Sizes& sizes, const float* weight, float* to, long length) {
  Vec total[OUT][WIDE] = {};
  for (long c = 0; c < sizes.in; c++)
    for (int b = 0; b < 3; b++) {
      const float* row = from + c * mixed.plane + b * sizes.step * mixed.row;
      for (int d = 0; d < 3; d++, weight += OUT) {
        Vec x[WIDE];
        for (int v = 0; v < WIDE; v++) {
          x[v] = load(row + d * sizes.step + v * LANES);
          if (OUT > 1) keep(x[v]);
        }
        for (int o = 0; o < OUT; o++)
          for (int v = 0; v < WIDE; v++) total[o][v] += x[v] * weight[o];
      }
    }
  for (int o = 0; o < OUT; o++)
    for (int v = 0; v < WIDE; v++) store(to + o * length + v * LANES, total[o][v]);
}

// OUT channels of one row, as many vectors at a time as there are registers for.
template <int OUT>
static void whole_row(const float* from, const Mixtures& mixed, const Sizes& sizes, const float* weight, float* to, long length) {
  constexpr int MOST = std::max(1, std::min(4, (LANES == 16 ? 16 : 8) / OUT));
  for (long k = 0; k < length;) {
    long wide = std::min<long>((length - k) / LANES, MOST);
    if (wide == 1) part_of_row<OUT, 1>(from + k, mixed, sizes, weight, to + k, length);
    if constexpr (MOST >= 2) if (wide == 2) part_of_row<OUT, 2>(from + k, mixed, sizes, weight, to + k, length);
    if constexpr (MOST >= 3) if (wide == 3) part_of_row<OUT, 3>(from + k, mixed, sizes, weight, to + k, length);
    if constexpr (MOST >= 4) if (wide == 4) part_of_row<OUT, 4>(from + k, mixed, sizes, weight, to + k, length);
    k += wide * LANES;
  }
}

// Channels of the output that are worked on together: more where a row has few vectors.
static long together(const Sizes& sizes) {
  long vectors = rounded_up(sizes.out_z()) / LANES;
  for (long count : {16L, 8L})
    if (sizes.out % count == 0 && count * vectors <= 16) return count;
  return sizes.out % 4 == 0 ? 4 : sizes.out % 2 == 0 ? 2 : 1;
}

// Weights of the mixtures in the order of their use: (group, block of channels, mixture, in, y, z, channel).
// `turned`: those of the gradient, which runs through the same convolution the other way.
static std::vector<float> mixed_weights(const float* weight, const Sizes& sizes, long block, bool turned) {
  std::vector<float> packed(sizes.groups * sizes.out * sizes.in * MIXED * 9);
  for (long g = 0; g < sizes.groups; g++)
    for (long o = 0; o < sizes.out; o++)
      for (long c = 0; c < sizes.in; c++)
        for (long tap = 0; tap < 9; tap++) {
          const float* own = weight + 27 * (turned ? (g * sizes.in + c) * sizes.out + o : (g * sizes.out + o) * sizes.in + c);
          float w[3];
          for (long a = 0; a < 3; a++) w[a] = own[turned ? 26 - a * 9 - tap : a * 9 + tap];
          float values[MIXED] = {w[0], (w[0] + w[1] + w[2]) / 2, (w[0] - w[1] + w[2]) / 2, w[2]};
          float* place = &packed[(g * sizes.out + o / block * block) * sizes.in * MIXED * 9 + (c * 9 + tap) * block + o % block];
          for (long m = 0; m < MIXED; m++) place[m * sizes.in * 9 * block] = values[m];
        }
  return packed;
}

static Sizes sizes_of(const long* n) { return Sizes{n[0], n[1], n[2], n[3], n[4], n[5], n[6], n[7], n[8]}; }

// One convolution. `weight` is (groups * out, in, 3, 3, 3); turned, (groups * in, out, 3, 3, 3).
extern "C" void convolve(const float* x, const float* weight, const float* bias, float* result, const long* numbers, int turned, int threads) {
  Sizes sizes = sizes_of(numbers);
  long block = together(sizes), width = sizes.out_z(), length = rounded_up(width), area = sizes.out_y() * width, volume = sizes.out_x() * area;
  std::vector<float> packed = mixed_weights(weight, sizes, block, turned);
  deal_out(sizes.items(), threads, [&](long number) {
    Item item(sizes, number);
    long pair = item.batch * sizes.groups + item.group;
    Mixtures mixed(x + pair * sizes.in * sizes.x * sizes.y * sizes.z, sizes);
    Floats products = zeros(MIXED * block * length);
    each_pair(sizes, item, [&](long i) {
      const float* from = mixed.of(i);
      for (long j = 0; j < sizes.out_y(); j++)
        for (long o = 0; o < sizes.out; o += block) {
          for (long m = 0; m < MIXED; m++) {
            const float *row = from + m * mixed.one + j * mixed.row, *some = &packed[((item.group * sizes.out + o) * MIXED + m * block) * sizes.in * 9];
            float* to = &products[m * block * length];
            if (block == 16) whole_row<16>(row, mixed, sizes, some, to, length);
            else if (block == 8) whole_row<8>(row, mixed, sizes, some, to, length);
            else if (block == 4) whole_row<4>(row, mixed, sizes, some, to, length);
            else if (block == 2) whole_row<2>(row, mixed, sizes, some, to, length);
            else whole_row<1>(row, mixed, sizes, some, to, length);
          }
          for (long k = 0; k < block; k++) {
            float shift = bias ? bias[item.group * sizes.out + o + k] : 0.0f;
            float* to = result + (pair * sizes.out + o + k) * volume + i * area + j * width;
            const float *m0 = &products[k * length], *m1 = m0 + block * length, *m2 = m1 + block * length, *m3 = m2 + block * length;
            for (long v = 0; v < width; v++) to[v] = m0[v] + m1[v] + m2[v] + shift;
            if (i + sizes.step >= sizes.out_x()) continue;
            to += sizes.step * area;
            for (long v = 0; v < width; v++) to[v] = m1[v] - m2[v] - m3[v] + shift;
          }
        }
    });
  });
}

// Add to the gradient of OUT channels' weights of one mixture what a few rows of the output's gradient give.
template <int OUT>
static void gather(const float* from, const Mixtures& mixed, const Sizes& sizes, const float* gradient, long rows, long length, Vec* sums) {
  for (long c = 0; c < sizes.in; c++)
    for (int b = 0; b < 3; b++, sums += 3 * OUT) {
      Vec total[OUT][3];
      for (int o = 0; o < OUT; o++)
        for (int d = 0; d < 3; d++) total[o][d] = sums[o * 3 + d];
#pragma GCC unroll 2
      for (long j = 0; j < rows; j++) {
        const float* row = from + c * mixed.plane + (j + b * sizes.step) * mixed.row;
#pragma GCC unroll 4
        for (long k = 0; k < length; k += LANES) {
          Vec x[3];
          for (int d = 0; d < 3; d++) {
            x[d] = load(row + k + d * sizes.step);
            if (OUT > 1) keep(x[d]);
          }
          for (int o = 0; o < OUT; o++) {
            Vec y = load(gradient + (o * ROWS + j) * length + k);
            for (int d = 0; d < 3; d++) total[o][d] += x[d] * y;
          }
        }
      }
      for (int o = 0; o < OUT; o++)
        for (int d = 0; d < 3; d++) sums[o * 3 + d] = total[o][d];
    }
}

// The gradient (groups * out, in, 3, 3, 3) of the weights. Sums of a slab's lanes are single, all others double.
extern "C" void convolve_weight(const float* x, const float* gradient, float* of_weight, const long* numbers, int threads) {
  Sizes sizes = sizes_of(numbers);
  long block = sizes.out % 4 == 0 ? 4 : sizes.out % 2 == 0 ? 2 : 1, width = sizes.out_z(), length = rounded_up(width);
  long area = sizes.out_y() * width, volume = sizes.out_x() * area, taps = sizes.in * 9, size = sizes.out * MIXED * taps;
  std::vector<double> parts(sizes.items() * size);
  deal_out(sizes.items(), threads, [&](long number) {
    Item item(sizes, number);
    long pair = item.batch * sizes.groups + item.group;
    Mixtures mixed(x + pair * sizes.in * sizes.x * sizes.y * sizes.z, sizes);
    Floats some = zeros(MIXED * block * ROWS * length), nothing = zeros(width);
    std::vector<Vec> sums(size);
    each_pair(sizes, item, [&](long i) {
      const float* from = mixed.of(i);
      bool alone = i + sizes.step >= sizes.out_x();
      for (long j = 0; j < sizes.out_y(); j += ROWS)
        for (long o = 0; o < sizes.out; o += block) {
          long rows = std::min(ROWS, sizes.out_y() - j), all = block * ROWS * length;
          for (long k = 0; k < block; k++)
            for (long r = 0; r < rows; r++) {
              const float* first = gradient + (pair * sizes.out + o + k) * volume + i * area + (j + r) * width;
              const float* second = alone ? nothing.get() : first + sizes.step * area;
              float* to = &some[(k * ROWS + r) * length];
              for (long v = 0; v < width; v++) to[v] = first[v];
              for (long v = 0; v < width; v++) to[all + v] = first[v] + second[v];
              for (long v = 0; v < width; v++) to[2 * all + v] = first[v] - second[v];
              for (long v = 0; v < width; v++) to[3 * all + v] = -second[v];
            }
          for (long m = 0; m < MIXED; m++) {
            const float *row = from + m * mixed.one + j * mixed.row, *own = &some[m * all];
            Vec* to = &sums[(o * MIXED + m * block) * taps];
            if (block == 4) gather<4>(row, mixed, sizes, own, rows, length, to);
            else if (block == 2) gather<2>(row, mixed, sizes, own, rows, length, to);
            else gather<1>(row, mixed, sizes, own, rows, length, to);
          }
        }
    });
    for (long e = 0; e < size; e++) parts[number * size + e] = sum(sums[e]);
  });
  for (long g = 0; g < sizes.groups; g++)
    for (long o = 0; o < sizes.out; o++)
      for (long c = 0; c < sizes.in; c++)
        for (long tap = 0; tap < 9; tap++) {
          double u[MIXED] = {};
          for (long m = 0; m < MIXED; m++) {
            long place = (o / block * block * MIXED + m * block) * taps + ((c * 3 + tap / 3) * block + o % block) * 3 + tap % 3;
            for (long b = 0; b < sizes.batch; b++)
              for (long s = 0; s < sizes.slabs(); s++) u[m] += parts[((b * sizes.groups + g) * sizes.slabs() + s) * size + place];
          }
          float* to = of_weight + ((g * sizes.out + o) * sizes.in + c) * 27 + tap;
          to[0] = (float)(u[0] + (u[1] + u[2]) / 2), to[9] = (float)((u[1] - u[2]) / 2), to[18] = (float)((u[1] + u[2]) / 2 + u[3]);
        }
}
