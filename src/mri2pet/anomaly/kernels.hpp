// Rows of the kernel matrix of one voxel's controls, made when they are asked for; see kernels.py.
#pragma once
#include <cmath>
#include <iterator>

#include "columns.hpp"

constexpr float CONSTANT = 1e-13f;  // part of the squared mean below which a variance is rounding

struct Shape {
  int samples, patients, width;
};

class Kernels {
 public:
  const int n, m, d;
  const long pitch;
  Floats near;  // squared distances of the controls from their mean, times gamma
  float shift = 0;  // what rows hold less than K - 1

  explicit Kernels(Shape shape)
      : n(shape.samples),
        m(shape.patients),
        d(shape.width),
        pitch(rounded_up(n)),
        near(zeros(pitch)),
        features(zeros(d * pitch)),
        middle(zeros(d)),
        rows(zeros(n * pitch)),
        cross(zeros(4 * pitch)),
        own(4 * d),
        made(n) {}

  // Features less the controls' mean. Returns whether all are numbers. `given` is gamma; 0 for
  // scikit-learn's "scale", below 0 for 1 / (2 median squared distance of two controls).
  bool centre(const float* x, float given) {
    std::fill_n(middle.get(), d, 0.f);
    for (int i = 0; i < n; i++)
      for (int k = 0; k < d; k++) middle[k] += x[(long)i * d + k];
    double mean = 0, squares = 0, about = 0, spread = 0;
    for (int k = 0; k < d; k++) {
      middle[k] /= n;
      mean += middle[k] / d;
      squares += (double)middle[k] * middle[k] / d;
    }
    for (int k = 0; k < d; k++) about += (middle[k] - mean) * (middle[k] - mean);
    for (int i = 0; i < n; i++)
      for (int k = 0; k < d; k++) features[k * pitch + i] = x[(long)i * d + k] - middle[k];
    for (long j = 0; j < pitch; j += LANES) {
      Vec sum = {};
      for (int k = 0; k < d; k++) {
        Vec value = load(&features[k * pitch + j]);
        sum += value * value;
      }
      store(&near[j], sum);
    }
    for (int j = 0; j < n; j++) spread += near[j];
    double variance = (spread / n + about) / d;
    if (given < 0) {
      if (!std::isfinite(spread)) return false;
      double apart = median_apart();
      gamma = apart > CONSTANT * squares * d ? 1 / (2 * apart) : 1;
    } else {
      gamma = given > 0 ? given : variance > CONSTANT * squares ? 1 / (variance * d) : 1;
    }
    if (!std::isfinite((float)spread * gamma)) return false;
    for (long j = 0; j < pitch; j += LANES) store(&near[j], load(&near[j]) * gamma);
    std::fill(made.begin(), made.end(), 0);
    shift = 0;
    return true;
  }

  const float* row(int i) {
    if (!made[i]) make(&i, 1);
    return &rows[i * pitch];
  }

  // Of those already made nothing is done.
  void make(const int* which, int count) {
    lacking.clear();
    std::copy_if(which, which + count, std::back_inserter(lacking), [&](int i) { return !made[i]; });
    which = lacking.data();
    count = lacking.size();
    for (int done = 0; done < count;) {
      int some = count - done >= 4 ? 4 : 1;
      float* place[4];
      for (int r = 0; r < some; r++) place[r] = &rows[which[done + r] * pitch];
      (some == 4 ? products<4> : products<1>)(features.get(), which + done, pitch, features.get(),
                                              pitch, d, place);
      for (int r = 0; r < some; r++) {
        int i = which[done + r];
        for (long j = 0; j < pitch; j += LANES) {
          Vec inner = load(place[r] + j) * (2 * gamma);
          store(place[r] + j, expm1(inner - load(&near[j]) - near[i]) - shift);
        }
        place[r][i] = -shift;
        made[i] = 1;
      }
      done += some;
    }
  }

  // Hold rows less the mean of this one, so that gradients are small.
  void shift_by(int i) {
    const float* first = row(i);
    float mean = 0;
    for (int j = 0; j < n; j++) mean += first[j] / n;
    shift = mean;
    made[i] = 0;
  }

  // Decision values (patients) of an answer. Returns whether all features are numbers.
  bool decide(const float* y, const float* alpha, float rho, float* scores) {
    bool fine = true;
    for (int first = 0; first < m; first += 4) {
      int some = std::min(4, m - first), which[4] = {0, 1, 2, 3};
      float* place[4];
      float far[4] = {};
      for (int r = 0; r < 4; r++) {
        place[r] = &cross[r * pitch];
        const float* one = y + (long)(first + std::min(r, some - 1)) * d;
        for (int k = 0; k < d; k++) {
          float value = one[k] - middle[k];
          own[4 * k + r] = value;
          far[r] += value * value;
        }
      }
      products<4>(own.data(), which, 4, features.get(), pitch, d, place);
      for (int r = 0; r < some; r++) {
        Vec sum = {};
        for (long j = 0; j < pitch; j += LANES) {
          Vec inner = load(place[r] + j) * (2 * gamma);
          Vec value = expm1(inner - load(&near[j]) - far[r] * gamma) - shift;
          sum += value * load(alpha + j);
        }
        scores[first + r] = total_of(sum) - rho;
        fine &= std::isfinite(far[r] * gamma);
      }
    }
    return fine;
  }

 private:
  // The median squared distance of two controls, of centred features.
  double median_apart() {
    pairs.clear();
    for (int i = 0; i + 1 < n; i++)
      for (long first = (i + 1) / LANES * LANES; first < pitch; first += LANES) {
        Vec sum = {};
        for (int k = 0; k < d; k++) {
          Vec value = load(&features[k * pitch + first]) - features[k * pitch + i];
          sum += value * value;
        }
        for (int lane = 0; lane < LANES; lane++)
          if (first + lane > i && first + lane < n) pairs.push_back(sum[lane]);
      }
    if (pairs.empty()) return 0;
    auto high = pairs.begin() + pairs.size() / 2;
    std::nth_element(pairs.begin(), high, pairs.end());
    double upper = *high;
    return pairs.size() % 2 ? upper : (*std::max_element(pairs.begin(), high) + upper) / 2;
  }

  Floats features, middle, rows, cross;
  std::vector<float> pairs;
  std::vector<float> own;
  std::vector<char> made;
  std::vector<int> lacking;
  float gamma = 0;
};
