// One-class SVMs of many voxels, one after the other, each in a processor's cache.
//
// The problem, its scaling and the tests of an answer are those of dual.py and optimality.py.
#include "kernels.hpp"

constexpr float TINY = 1e-12f;  // libsvm's TAU: the smallest curvature along a pair
constexpr float JITTER = 1e-7f;  // on the diagonal of a system of free variables
constexpr int LOOK = 8;  // steps between two looks at the largest violation
constexpr int ROUNDS[][2] = {{24, 8}, {128, 8}, {512, 12}};  // SMO steps, active sets, in turn

class Problem {
 public:
  Kernels kernels;
  const int n;
  const long pitch;
  Floats alpha, gradient;

  explicit Problem(Shape shape)
      : kernels(shape),
        n(shape.samples),
        pitch(kernels.pitch),
        alpha(zeros(pitch)),
        gradient(zeros(pitch)),
        up(zeros(pitch)),
        low(zeros(pitch)),
        trial(zeros(pitch)),
        inside(zeros(pitch)),
        slope(zeros(pitch)),
        system((long)n * n),
        ones(n),
        pulled(n),
        free(n),
        order(n),
        terms(n),
        state(n) {}

  // Solve for the controls that `kernels` has. Returns whether the answer is optimal.
  bool solve(double sum, float tol) {
    total = sum;
    tolerance = tol;
    begin();
    for (auto [steps, tries] : ROUNDS) {
      smo(steps);
      refresh(alpha.get(), gradient.get());
      if (violation(alpha.get(), gradient.get()) <= 0.5f * tolerance) return true;
      if (active_set(tries)) return true;
      if (violation(alpha.get(), gradient.get()) <= tolerance) return true;
    }
    return false;
  }

  // Gradient on the margin, as libsvm has it; `excess`: see optimality.margin.
  float margin(int excess) {
    double free_sum = 0;
    int count = 0;
    float top = -FAR, bottom = FAR;
    for (int j = 0; j < n; j++) {
      float g = gradient[j];
      if (alpha[j] > 0 && alpha[j] < 1) free_sum += g, count++;
      if (alpha[j] >= 1) top = std::max(top, g);
      if (alpha[j] <= 0) bottom = std::min(bottom, g);
    }
    if (count) return free_sum / count;
    return excess > 0 ? bottom : excess < 0 ? top : (top + bottom) / 2;
  }

 private:
  Floats up, low, trial, inside, slope;
  std::vector<double> system, ones, pulled;
  std::vector<int> free, order;
  std::vector<const float*> terms;
  std::vector<signed char> state;  // 1 at the upper bound, -1 at the lower, 0 free
  float shift, tolerance;
  double total;

  // From the farthest controls at their bound.
  void begin() {
    int count = std::min((int)std::ceil(total), n);
    for (int i = 0; i < n; i++) order[i] = i;
    std::nth_element(order.begin(), order.begin() + count - 1, order.end(),
                     [&](int a, int b) { return kernels.near[a] > kernels.near[b]; });
    kernels.shift_by(order[0]);
    shift = kernels.shift;
    std::fill_n(alpha.get(), pitch, 0.f);
    for (int k = 0; k < count; k++) alpha[order[k]] = std::min(1.0, total - k);
    refresh(alpha.get(), gradient.get());
  }

  // The gradient anew: its rounding errors are those of one sum.
  void refresh(const float* a, float* g) {
    int many = 0;
    for (int i = 0; i < n; i++)
      if (a[i] != 0) order[many++] = i;
    kernels.make(order.data(), many);
    for (int k = 0; k < many; k++) terms[k] = kernels.row(order[k]);
    for (long j = 0; j < pitch; j += LANES) {
      Vec sum = {};
      for (int k = 0; k < many; k++) sum += load(terms[k] + j) * a[order[k]];
      store(g + j, sum);
    }
  }

  // What keeps variables at a bound out of a minimum (`up`) or maximum (`low`).
  void bounds(const float* a) {
    for (long j = 0; j < pitch; j++) {
      up[j] = j >= n || a[j] >= 1 ? FAR : 0;
      low[j] = j >= n || a[j] <= 0 ? FAR : 0;
    }
  }

  // How far the most violating pair is from optimal.
  float violation(const float* a, const float* g) {
    bounds(a);
    Vec bottom = all(FAR), top = all(-FAR);
    for (long j = 0; j < pitch; j += LANES) {
      Vec value = load(g + j);
      bottom = smaller(bottom, value + load(&up[j]));
      top = larger(top, value - load(&low[j]));
    }
    return most(top) - least(bottom);
  }

  // Steps of SMO with second-order selection.
  void smo(int steps) {
    bounds(alpha.get());
    Vec count;
    for (int lane = 0; lane < LANES; lane++) count[lane] = lane;
    for (int step = 0; step < steps; step++) {
      Vec best = all(2 * FAR), place = {};
      for (long j = 0; j < pitch; j += LANES) {
        Vec value = load(&gradient[j]) + load(&up[j]);
        Ints better = value < best;
        place = better ? count + (float)j : place;
        best = better ? value : best;
      }
      float bottom = least(best);
      int i = place_of(best, place, bottom);
      const float* row_i = kernels.row(i);
      Vec peak = all(-shift), widest = all(-FAR);
      best = all(-1);
      for (long j = 0; j < pitch; j += LANES) {
        Vec gain = load(&gradient[j]) - load(&low[j]) - bottom;
        widest = larger(widest, gain);
        gain = larger(gain, Vec{});
        Vec curve = larger((peak - load(row_i + j)) * 2, all(TINY));
        Vec value = gain * gain / curve;
        Ints better = value > best;
        place = better ? count + (float)j : place;
        best = better ? value : best;
      }
      if (step % LOOK == 0 && most(widest) <= 0.5f * tolerance) return;
      int j = place_of(best, place, most(best));
      const float* row_j = kernels.row(j);
      float curve = std::max(2 * (-shift - row_i[j]), TINY);
      float gain = std::max(gradient[j] - bottom, 0.f);
      float room = 1 - alpha[i], move = std::min(gain / curve, alpha[j]);
      alpha[i] = move >= room ? 1 : alpha[i] + move;
      move = std::min(move, room);
      alpha[j] -= move;
      for (long k = 0; k < pitch; k += LANES)
        store(&gradient[k], load(&gradient[k]) + (load(row_i + k) - load(row_j + k)) * move);
      for (int k : {i, j}) {
        up[k] = alpha[k] >= 1 ? FAR : 0;
        low[k] = alpha[k] <= 0 ? FAR : 0;
      }
    }
  }

  // The free variables' equalities, solved in double precision: `trial` and the margin.
  bool equalities(double* rho) {
    int many = 0;
    double level = 1 + (double)shift, bound = 0, mass = 0, sum = 0;
    for (int i = 0; i < n; i++) {
      if (state[i] == 0) free[many++] = i;
      bound += state[i] > 0;
    }
    kernels.make(free.data(), many);
    for (int r = 0; r < many; r++) {
      const float* own_row = kernels.row(free[r]);
      double* line = &system[(long)r * n];
      for (int c = r; c < many; c++) line[c] = own_row[free[c]] + level;
      line[r] += JITTER;
      double pull = level * bound;
      for (int i = 0; i < n; i++) pull += state[i] > 0 ? own_row[i] : 0;
      ones[r] = 1;
      pulled[r] = pull;
    }
    for (int k = 0; k < many; k++) {
      double* line = &system[(long)k * n];
      if (!(line[k] > 0)) return false;
      double inverse = 1 / std::sqrt(line[k]);
      for (int c = k; c < many; c++) line[c] *= inverse;
      ones[k] *= inverse;
      pulled[k] *= inverse;
      for (int r = k + 1; r < many; r++) {
        double* below = &system[(long)r * n];
        double factor = line[r];
        for (int c = r; c < many; c++) below[c] -= factor * line[c];
        ones[r] -= factor * ones[k];
        pulled[r] -= factor * pulled[k];
      }
      line[k] = inverse;
    }
    for (int k = many - 1; k >= 0; k--) {
      const double* line = &system[(long)k * n];
      double a = ones[k], b = pulled[k];
      for (int c = k + 1; c < many; c++) a -= line[c] * ones[c], b -= line[c] * pulled[c];
      mass += ones[k] = a * line[k];
      sum += pulled[k] = b * line[k];
    }
    double margin = (total - bound + sum) / mass;
    if (!(mass > 0) || !std::isfinite(margin)) return false;
    for (int i = 0; i < n; i++) trial[i] = state[i] > 0;
    for (int k = 0; k < many; k++) trial[free[k]] = ones[k] * margin - pulled[k];
    *rho = margin - level * total;
    return true;
  }

  // Guesses of which variables are free, corrected until one is optimal; see dual.active_set.
  bool active_set(int tries) {
    int first = 0, last = 0;
    for (int i = 0; i < n; i++) {
      state[i] = alpha[i] >= 1 ? 1 : alpha[i] <= 0 ? -1 : 0;
      if (gradient[i] + up[i] < gradient[first] + up[first]) first = i;
      if (gradient[i] - low[i] > gradient[last] - low[last]) last = i;
    }
    state[first] = state[last] = 0;
    double rho;
    for (int attempt = 0; attempt < tries; attempt++) {
      if (!equalities(&rho)) return false;
      double sum = 0;
      for (int i = 0; i < n; i++) sum += inside[i] = std::min(std::max(trial[i], 0.f), 1.f);
      if (std::abs(sum - total) <= tolerance) {
        refresh(inside.get(), slope.get());
        if (violation(inside.get(), slope.get()) <= tolerance) {
          alpha.swap(inside);
          gradient.swap(slope);
          return true;
        }
      }
      refresh(trial.get(), slope.get());
      for (int i = 0; i < n; i++) {
        float above = slope[i] - (float)rho;
        if (state[i] == 0)
          state[i] = trial[i] >= 1 ? 1 : trial[i] <= 0 ? -1 : 0;
        else if (state[i] * above > 0)
          state[i] = 0;
      }
    }
    return false;
  }
};

// Decision values (voxels, patients) and, unless null, (voxels, samples) of the controls. Returns
// the first voxel with a feature that is no finite number, or -1.
extern "C" long score_one_class(const float* x, const float* y, long voxels, int samples,
                                int patients, int width, float gamma, double total, int excess,
                                float tolerance, float* scores, float* training,
                                unsigned char* solved) {
  Problem problem({samples, patients, width});
  for (long v = 0; v < voxels; v++) {
    if (!problem.kernels.centre(x + v * samples * width, gamma)) return v;
    solved[v] = problem.solve(total, tolerance);
    float rho = problem.margin(excess);
    if (training)
      for (int j = 0; j < samples; j++) training[v * samples + j] = problem.gradient[j] - rho;
    if (!problem.kernels.decide(y + v * patients * width, problem.alpha.get(), rho,
                                scores + v * patients))
      return v;
  }
  return -1;
}
