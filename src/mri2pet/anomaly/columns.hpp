// Vectors for one_class.cpp: least and largest, exp(x) - 1, products of columns.
#pragma once
#include "../models/native/vectors.hpp"

typedef int Ints __attribute__((vector_size(LANES * sizeof(int))));
typedef float Four __attribute__((vector_size(16)));

constexpr float FAR = 1e30f;  // keeps a variable at its bound out of a minimum or maximum

static inline Vec all(float value) { return Vec{} + value; }
static inline Vec smaller(Vec a, Vec b) { return a < b ? a : b; }
static inline Vec larger(Vec a, Vec b) { return a > b ? a : b; }

static inline float least(Vec value) {
  Four part[LANES / 4];
  std::memcpy(part, &value, sizeof value);
  for (int k = 1; k < LANES / 4; k++) part[0] = part[k] < part[0] ? part[k] : part[0];
  return std::min(std::min(part[0][0], part[0][1]), std::min(part[0][2], part[0][3]));
}
static inline float most(Vec value) { return -least(-value); }

static inline float total_of(Vec value) {
  Four part[LANES / 4];
  std::memcpy(part, &value, sizeof value);
  for (int k = 1; k < LANES / 4; k++) part[0] += part[k];
  return (part[0][0] + part[0][1]) + (part[0][2] + part[0][3]);
}

// The first of the lanes' places whose value is the one sought.
static inline int place_of(Vec value, Vec places, float sought) {
  return (int)least(value == all(sought) ? places : all(FAR));
}

// exp(x) - 1 for x up to 80, to a few roundings; below -87 it is -1.
static inline Vec expm1(Vec x) {
  constexpr float ROUND = 12582912.f;  // 1.5 * 2^23: what is added to it is rounded to a whole number
  x = larger(x, all(-87.f));
  Vec whole = (x * 1.44269504f + ROUND) - ROUND;
  Vec r = x - whole * 0.693359375f + whole * 2.12194440e-4f;
  Vec p = all(1 / 5040.f);
  for (float c : {1 / 720.f, 1 / 120.f, 1 / 24.f, 1 / 6.f, 0.5f, 1.f}) p = p * r + c;
  Ints bits = (__builtin_convertvector(whole, Ints) + 127) << 23;
  Vec scale;
  std::memcpy(&scale, &bits, sizeof scale);
  return scale * (p * r) + (scale - 1);
}

// Products of R columns with T vectors of columns of a (width, pitch) matrix.
template <int R, int T>
static void products(const float* left, const int* which, long left_pitch, const float* right,
                     long pitch, int width, float* const* out) {
  Vec sums[R][T] = {};
  for (int k = 0; k < width; k++) {
    Vec columns[T];
    for (int t = 0; t < T; t++) columns[t] = load(right + k * pitch + t * LANES);
    for (int r = 0; r < R; r++) {
      Vec one = all(left[k * left_pitch + which[r]]);
      for (int t = 0; t < T; t++) sums[r][t] += one * columns[t];
    }
  }
  for (int r = 0; r < R; r++)
    for (int t = 0; t < T; t++) store(out[r] + t * LANES, sums[r][t]);
}

template <int R>
static void products(const float* left, const int* which, long left_pitch, const float* right,
                     long pitch, int width, float* const* out) {
  float* place[R];
  for (long done = 0; done < pitch;) {
    long vectors = (pitch - done) / LANES;
    for (int r = 0; r < R; r++) place[r] = out[r] + done;
    const float* some = right + done;
#define TILE(T) products<R, T>(left, which, left_pitch, some, pitch, width, place), done += T * LANES
    if (vectors >= 5) TILE(5);
    else if (vectors == 4) TILE(4);
    else if (vectors == 3) TILE(3);
    else if (vectors == 2) TILE(2);
    else TILE(1);
#undef TILE
  }
}
