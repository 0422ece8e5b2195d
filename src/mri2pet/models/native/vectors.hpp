// Vectors as wide as the processor's, and work dealt out to threads.
#pragma once
#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <thread>
#include <vector>

#if defined(__AVX512F__)
constexpr int LANES = 16;
#else
constexpr int LANES = 8;
#endif

typedef float Vec __attribute__((vector_size(LANES * sizeof(float))));
typedef float LooseVec __attribute__((vector_size(LANES * sizeof(float)), aligned(4), may_alias));

static inline Vec load(const float* place) { return *(const LooseVec*)place; }
static inline void store(float* place, Vec value) { *(LooseVec*)place = value; }

static inline double sum(Vec value) {
  double total = 0;
  for (int lane = 0; lane < LANES; lane++) total += value[lane];
  return total;
}

// Keep a value in a register that several products use: left alone, the compiler loads it again for each.
#if defined(__AVX512F__)
static inline void keep(Vec& value) { asm("" : "+v"(value)); }
#else
static inline void keep(Vec&) {}
#endif

static inline long rounded_up(long count) { return (count + LANES - 1) / LANES * LANES; }

struct Free {
  void operator()(void* place) const { std::free(place); }
};
typedef std::unique_ptr<float[], Free> Floats;

// Zeros that begin where a cache line does.
static inline Floats zeros(long count) {
  constexpr long LINE = 64;
  long bytes = (count * (long)sizeof(float) + LINE - 1) / LINE * LINE;
  float* place = (float*)std::aligned_alloc(LINE, bytes);
  std::memset(place, 0, bytes);
  return Floats(place);
}

// Call work(0) ... work(items - 1). Which thread takes which changes no result: each writes its own.
template <class Work>
static void deal_out(long items, int threads, Work work) {
  std::atomic<long> next{0};
  auto take = [&] {
    for (long item; (item = next++) < items;) work(item);
  };
  std::vector<std::thread> team;
  for (long i = 1; i < std::min<long>(threads, items); i++) team.emplace_back(take);
  take();
  for (auto& member : team) member.join();
}
