// 3x3x3 convolutions of few channels, stride 1, zeros around; float32, (N, C, X, Y, Z) in memory.
//
// A vector holds neighbours along z. Of a row of the output a few vectors of a few channels stay in
// registers while all 27 * in products are added; the rows that they need are copied, with zeros
// around, to a ring of planes that stays in the cache.
#include "vectors.hpp"

constexpr long SLAB = 16;  // planes of the output that are worked on at once
constexpr long ROWS = 16;  // of the gradient's, that stay in the cache

struct Sizes {
  long batch, in, out, groups;  // channels of one group
  long x, y, z;                 // of the input
  long pad, step;               // zeros around; distance between taps (dilation)
  long out_x() const { return x + 2 * pad - 2 * step; }
  long out_y() const { return y + 2 * pad - 2 * step; }
  long out_z() const { return z + 2 * pad - 2 * step; }
  long slabs() const { return (out_x() + SLAB - 1) / SLAB; }
  long items() const { return batch * groups * slabs(); }
};

// What one item of work is: a slab of planes of one group of one volume.
struct Item {
  long batch, group, first, last;
  Item(const Sizes& sizes, long item)
      : batch(item / sizes.slabs() / sizes.groups),
        group(item / sizes.slabs() % sizes.groups),
        first(item % sizes.slabs() * SLAB),
        last(std::min(sizes.out_x(), first + SLAB)) {}
};

// Planes of the input with zeros around; as many are held as one plane of the output needs.
class Ring {
 public:
  long row, plane;  // floats from a row to the next, and from a channel to the next

  Ring(const float* source, const Sizes& sizes)
      : row(rounded_up(std::max(sizes.z, sizes.out_z())) + 2 * LANES),
        plane((sizes.y + 2 * sizes.pad) * row),
        source_(source),
        sizes_(sizes),
        slots_(2 * sizes.step + 1),
        held_(slots_, -1),
        store_(zeros(slots_ * sizes.in * plane + LANES)) {}

  // First tap (first channel, y = -pad, z = -pad) of input plane i, which may lie outside.
  const float* at(long i) {
    long slot = (i + sizes_.pad) % slots_;
    float* place = &store_[slot * sizes_.in * plane];
    if (held_[slot] != i + sizes_.pad) {
      held_[slot] = i + sizes_.pad;
      for (long c = 0; c < sizes_.in; c++) copy(i, c, place + c * plane);
    }
    return place + LANES - sizes_.pad;
  }

 private:
  void copy(long i, long channel, float* place) const {
    bool inside = i >= 0 && i < sizes_.x;
    const float* from = source_ + (channel * sizes_.x + (inside ? i : 0)) * sizes_.y * sizes_.z;
    for (long j = 0; j < sizes_.y; j++) {
      float* to = place + (j + sizes_.pad) * row + LANES;
      if (inside) std::memcpy(to, from + j * sizes_.z, sizes_.z * sizeof(float));
      else std::memset(to, 0, sizes_.z * sizeof(float));
    }
  }

  const float* source_;
  const Sizes& sizes_;
  long slots_;
  std::vector<long> held_;
  Floats store_;
};

// OUT channels by WIDE vectors of one row of the output.
template <int OUT, int WIDE>
static void part_of_row(const float* const* planes, const Ring& ring, const Sizes& sizes, const float* weight, const float* bias, float* const* to,
                        long left) {
  Vec total[OUT][WIDE];
  for (int o = 0; o < OUT; o++)
    for (int v = 0; v < WIDE; v++) total[o][v] = Vec{} + (bias ? bias[o] : 0.0f);
  for (int a = 0; a < 3; a++)
    for (long c = 0; c < sizes.in; c++)
      for (int b = 0; b < 3; b++) {
        const float* row = planes[a] + c * ring.plane + b * sizes.step * ring.row;
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
    for (int v = 0; v < WIDE; v++) {
      long rest = left - v * LANES;
      if (rest >= LANES) store(to[o] + v * LANES, total[o][v]);
      else if (rest > 0) std::memcpy(to[o] + v * LANES, &total[o][v], rest * sizeof(float));
    }
}

// OUT channels of one row of the output, as many vectors at a time as there are registers for.
template <int OUT>
static void whole_row(const float* const* planes, const Ring& ring, const Sizes& sizes, const float* weight, const float* bias, float* const* to) {
  constexpr int MOST = std::max(1, (LANES == 16 ? 16 : 8) / OUT > 4 ? 4 : (LANES == 16 ? 16 : 8) / OUT);
  const float* from[3];
  float* place[OUT];
  for (long k = 0, length = sizes.out_z(); k < length;) {
    long left = length - k, wide = std::min<long>(rounded_up(left) / LANES, MOST);
    for (int a = 0; a < 3; a++) from[a] = planes[a] + k;
    for (int o = 0; o < OUT; o++) place[o] = to[o] + k;
    if (wide == 1) part_of_row<OUT, 1>(from, ring, sizes, weight, bias, place, left);
    if constexpr (MOST >= 2) if (wide == 2) part_of_row<OUT, 2>(from, ring, sizes, weight, bias, place, left);
    if constexpr (MOST >= 3) if (wide == 3) part_of_row<OUT, 3>(from, ring, sizes, weight, bias, place, left);
    if constexpr (MOST >= 4) if (wide == 4) part_of_row<OUT, 4>(from, ring, sizes, weight, bias, place, left);
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

// Weights in the order in which they are used: (group, block of channels, a, in, b, d, channel).
// `turned`: those of the gradient, which runs through the same convolution the other way.
static std::vector<float> in_order(const float* weight, const Sizes& sizes, long block, bool turned) {
  std::vector<float> packed(sizes.groups * sizes.out * sizes.in * 27);
  for (long g = 0; g < sizes.groups; g++)
    for (long o = 0; o < sizes.out; o++)
      for (long c = 0; c < sizes.in; c++)
        for (long tap = 0; tap < 27; tap++) {
          long from = turned ? ((g * sizes.in + c) * sizes.out + o) * 27 + 26 - tap : ((g * sizes.out + o) * sizes.in + c) * 27 + tap;
          long place = ((tap / 9 * sizes.in + c) * 9 + tap % 9) * block + o % block;
          packed[(g * sizes.out + o / block * block) * sizes.in * 27 + place] = weight[from];
        }
  return packed;
}

// One convolution. `weight` is (groups * out, in, 3, 3, 3); turned, (groups * in, out, 3, 3, 3).
extern "C" void convolve(const float* x, const float* weight, const float* bias, float* result, const long* numbers, int turned, int threads) {
  Sizes sizes{numbers[0], numbers[1], numbers[2], numbers[3], numbers[4], numbers[5], numbers[6], numbers[7], numbers[8]};
  long block = together(sizes), area = sizes.out_y() * sizes.out_z(), volume = sizes.out_x() * area;
  std::vector<float> packed = in_order(weight, sizes, block, turned);
  deal_out(sizes.items(), threads, [&](long number) {
    Item item(sizes, number);
    long pair = item.batch * sizes.groups + item.group;
    Ring ring(x + pair * sizes.in * sizes.x * sizes.y * sizes.z, sizes);
    float* own = result + pair * sizes.out * volume;
    for (long i = item.first; i < item.last; i++) {
      const float *planes[3], *from[3];
      for (int a = 0; a < 3; a++) planes[a] = ring.at(i - sizes.pad + a * sizes.step);
      for (long j = 0; j < sizes.out_y(); j++)
        for (long o = 0; o < sizes.out; o += block) {
          float* to[16];
          for (int a = 0; a < 3; a++) from[a] = planes[a] + j * ring.row;
          for (long k = 0; k < block; k++) to[k] = own + (o + k) * volume + i * area + j * sizes.out_z();
          const float* some = &packed[(item.group * sizes.out + o) * sizes.in * 27];
          const float* shift = bias ? bias + item.group * sizes.out + o : nullptr;
          if (block == 16) whole_row<16>(from, ring, sizes, some, shift, to);
          else if (block == 8) whole_row<8>(from, ring, sizes, some, shift, to);
          else if (block == 4) whole_row<4>(from, ring, sizes, some, shift, to);
          else if (block == 2) whole_row<2>(from, ring, sizes, some, shift, to);
          else whole_row<1>(from, ring, sizes, some, shift, to);
        }
    }
  });
}

// Add to the gradient of OUT channels' weights what a few rows of the output's gradient give.
template <int OUT>
static void gather(const float* const* planes, const Ring& ring, const Sizes& sizes, const float* gradient, long rows, Vec* sums) {
  long length = rounded_up(sizes.out_z());
  for (int a = 0; a < 3; a++)
    for (long c = 0; c < sizes.in; c++)
      for (int b = 0; b < 3; b++, sums += 3 * OUT) {
        Vec total[OUT][3];
        for (int o = 0; o < OUT; o++)
          for (int d = 0; d < 3; d++) total[o][d] = sums[o * 3 + d];
#pragma GCC unroll 2
        for (long j = 0; j < rows; j++) {
          const float* row = planes[a] + c * ring.plane + (j + b * sizes.step) * ring.row;
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
  Sizes sizes{numbers[0], numbers[1], numbers[2], numbers[3], numbers[4], numbers[5], numbers[6], numbers[7], numbers[8]};
  long block = sizes.out % 4 == 0 ? 4 : sizes.out % 2 == 0 ? 2 : 1;
  long length = rounded_up(sizes.out_z()), area = sizes.out_y() * sizes.out_z(), volume = sizes.out_x() * area, size = sizes.out * sizes.in * 27;
  std::vector<double> parts(sizes.items() * size);
  deal_out(sizes.items(), threads, [&](long number) {
    Item item(sizes, number);
    long pair = item.batch * sizes.groups + item.group;
    Ring ring(x + pair * sizes.in * sizes.x * sizes.y * sizes.z, sizes);
    const float* own = gradient + pair * sizes.out * volume;
    Floats some = zeros(block * ROWS * length);
    std::vector<Vec> sums(size);
    for (long i = item.first; i < item.last; i++) {
      const float *planes[3], *from[3];
      for (int a = 0; a < 3; a++) planes[a] = ring.at(i - sizes.pad + a * sizes.step);
      for (long j = 0; j < sizes.out_y(); j += ROWS)
        for (long o = 0; o < sizes.out; o += block) {
          long rows = std::min(ROWS, sizes.out_y() - j);
          for (int a = 0; a < 3; a++) from[a] = planes[a] + j * ring.row;
          for (long k = 0; k < block; k++)
            for (long r = 0; r < rows; r++)
              std::memcpy(&some[(k * ROWS + r) * length], own + (o + k) * volume + i * area + (j + r) * sizes.out_z(), sizes.out_z() * sizeof(float));
          if (block == 4) gather<4>(from, ring, sizes, some.get(), rows, &sums[o * sizes.in * 27]);
          else if (block == 2) gather<2>(from, ring, sizes, some.get(), rows, &sums[o * sizes.in * 27]);
          else gather<1>(from, ring, sizes, some.get(), rows, &sums[o * sizes.in * 27]);
        }
    }
    for (long e = 0; e < size; e++) parts[number * size + e] = sum(sums[e]);
  });
  for (long g = 0; g < sizes.groups; g++)
    for (long o = 0; o < sizes.out; o++)
      for (long c = 0; c < sizes.in; c++)
        for (long tap = 0; tap < 27; tap++) {
          long place = o / block * block * sizes.in * 27 + (((tap / 9 * sizes.in + c) * 3 + tap / 3 % 3) * block + o % block) * 3 + tap % 3;
          double total = 0;
          for (long b = 0; b < sizes.batch; b++)
            for (long s = 0; s < sizes.slabs(); s++) total += parts[((b * sizes.groups + g) * sizes.slabs() + s) * size + place];
          of_weight[((g * sizes.out + o) * sizes.in + c) * 27 + tap] = (float)total;
        }
}
