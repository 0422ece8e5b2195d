// Batch and instance normalisation with what follows them: an addition and a (leaky) ReLU.
//
// float32, (N, C, voxels) in memory. `groups` sets of volumes have statistics of their own: one for
// batch norm, as many as there are volumes for instance norm.
#include <cmath>

#include "vectors.hpp"

constexpr long BLOCK = 4096;  // voxels whose sums are single; sums of blocks are double

static inline Vec bent(Vec value, float slope) { return value > 0 ? value : value * slope; }
static inline float bent(float value, float slope) { return value > 0 ? value : value * slope; }
static inline Vec bent_back(Vec gradient, Vec result, float slope) { return result > 0 ? gradient : gradient * slope; }
static inline float bent_back(float gradient, float result, float slope) { return result > 0 ? gradient : gradient * slope; }

// What tells on which side of the bend a voxel was: the result, or what it is computed from, which
// is read anyway and so saves a third of the memory's traffic.
struct Kept {
  const float* result;
  Vec side(Vec, long i) const { return load(result + i); }
  float side(float, long i) const { return result[i]; }
};
struct Again {
  float scale, shift;
  Vec side(Vec x, long) const { return x * scale + shift; }
  float side(float x, long) const { return x * scale + shift; }
};

struct Sizes {
  long batch, channels, voxels, groups;
  long volumes() const { return batch / groups; }  // of a group
};

// Call work(offset) for every volume of one channel of one group.
template <class Work>
static void each_volume(const Sizes& sizes, long group, long channel, Work work) {
  for (long b = group * sizes.volumes(); b < (group + 1) * sizes.volumes(); b++) work((b * sizes.channels + channel) * sizes.voxels);
}

// result = act((x - mean) / sd * weight + bias + added); means and variances (groups, channels).
extern "C" void normalise(const float* x, const float* weight, const float* bias, const float* added, float* result, float* means, float* variances,
                          const long* numbers, float epsilon, float slope, int threads) {
  Sizes sizes{numbers[0], numbers[1], numbers[2], numbers[3]};
  deal_out(sizes.groups * sizes.channels, threads, [&](long item) {
    long group = item / sizes.channels, channel = item % sizes.channels;
    float near = x[(group * sizes.volumes() * sizes.channels + channel) * sizes.voxels];  // keeps the squares small
    double total = 0, squares = 0;
    each_volume(sizes, group, channel, [&](long offset) {
      for (long start = 0; start < sizes.voxels; start += BLOCK) {
        const float *at = x + offset + start, *end = x + offset + std::min(sizes.voxels, start + BLOCK);
        Vec first{}, second{}, first_squares{}, second_squares{};
        for (; at + 2 * LANES <= end; at += 2 * LANES) {
          Vec a = load(at) - near, b = load(at + LANES) - near;
          first += a, second += b, first_squares += a * a, second_squares += b * b;
        }
        total += sum(first + second), squares += sum(first_squares + second_squares);
        for (; at < end; at++) total += *at - near, squares += (*at - near) * (*at - near);
      }
    });
    double count = (double)sizes.volumes() * sizes.voxels, mean = total / count;
    double variance = std::max(0.0, squares / count - mean * mean);
    means[item] = (float)(mean + near), variances[item] = (float)variance;
    float scale = weight[channel] / std::sqrt((float)variance + epsilon);
    float shift = bias[channel] - means[item] * scale;
    each_volume(sizes, group, channel, [&](long offset) {
      const float *from = x + offset, *other = added ? added + offset : nullptr;
      float* to = result + offset;
      long i = 0;
      if (other)
        for (; i + LANES <= sizes.voxels; i += LANES) store(to + i, bent(load(from + i) * scale + (load(other + i) + shift), slope));
      else
        for (; i + LANES <= sizes.voxels; i += LANES) store(to + i, bent(load(from + i) * scale + shift, slope));
      for (; i < sizes.voxels; i++) to[i] = bent(from[i] * scale + ((other ? other[i] : 0.0f) + shift), slope);
    });
  });
}

// Gradients of one channel of one group; `bend(offset)` is Kept or Again from there on.
template <class Bend>
static void channel_back(const float* gradient, const float* x, const Sizes& sizes, long group, long channel, float weight, float mean, float inverse,
                         float slope, float* of_x, float* of_added, float* of_weight, float* of_bias, Bend bend) {
  double total = 0, product = 0;
  each_volume(sizes, group, channel, [&](long offset) {
    const float *g = gradient + offset, *v = x + offset;
    auto from = bend(offset);
    for (long start = 0; start < sizes.voxels; start += BLOCK) {
      long i = start, end = std::min(sizes.voxels, start + BLOCK);
      Vec some{}, products{};
      for (; i + LANES <= end; i += LANES) {
        Vec value = load(v + i), own = bent_back(load(g + i), from.side(value, i), slope);
        some += own, products += own * (value - mean);
      }
      total += sum(some), product += sum(products);
      for (; i < end; i++) {
        float own = bent_back(g[i], from.side(v[i], i), slope);
        total += own, product += own * (v[i] - mean);
      }
    }
  });
  *of_bias = (float)total, *of_weight = (float)(product * inverse);
  double count = (double)sizes.volumes() * sizes.voxels;
  float scale = weight * inverse, shift = (float)(-scale * total / count);
  float slant = (float)(-scale * inverse * inverse * product / count);
  each_volume(sizes, group, channel, [&](long offset) {
    const float *g = gradient + offset, *v = x + offset;
    float *to = of_x + offset, *other = of_added ? of_added + offset : nullptr;
    auto from = bend(offset);
    long i = 0;
    for (; i + LANES <= sizes.voxels; i += LANES) {
      Vec value = load(v + i), own = bent_back(load(g + i), from.side(value, i), slope);
      if (other) store(other + i, own);
      store(to + i, own * scale + ((value - mean) * slant + shift));
    }
    for (; i < sizes.voxels; i++) {
      float own = bent_back(g[i], from.side(v[i], i), slope);
      if (other) other[i] = own;
      to[i] = own * scale + ((v[i] - mean) * slant + shift);
    }
  });
}

// Gradients of x, of what was added (or null), and (groups, channels) of weight and bias; `result`
// is null where nothing was added.
extern "C" void normalise_back(const float* gradient, const float* x, const float* result, const float* weight, const float* bias, const float* means,
                               const float* variances, float* of_x, float* of_added, float* of_weight, float* of_bias, const long* numbers,
                               float epsilon, float slope, int threads) {
  Sizes sizes{numbers[0], numbers[1], numbers[2], numbers[3]};
  deal_out(sizes.groups * sizes.channels, threads, [&](long item) {
    long group = item / sizes.channels, channel = item % sizes.channels;
    float inverse = 1 / std::sqrt(variances[item] + epsilon);
    auto back = [&](auto bend) {
      channel_back(gradient, x, sizes, group, channel, weight[channel], means[item], inverse, slope, of_x, of_added, of_weight + item, of_bias + item,
                   bend);
    };
    float scale = weight[channel] / std::sqrt(variances[item] + epsilon);  // as `normalise` has it, to the bit
    float shift = bias[channel] - means[item] * scale;
    if (result)
      back([&](long offset) { return Kept{result + offset}; });
    else
      back([&](long) { return Again{scale, shift}; });
  });
}
