// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>
#include <optional>
#include <vector>

namespace bench::report {

/// Four to seven round numbers from 0 to `most` or a little less. Their distance is 1, 2 or 5 times
/// a power of ten.
inline std::vector<double> linear_ticks(double most) {
    if (!(most > 0))
        return {0};
    const double power = std::pow(10.0, std::floor(std::log10(most)));
    const double leading = most / power; // From 1 to below 10.
    const double step = power * (leading < 1.5 ? 0.2 : leading < 3 ? 0.5 : leading < 6 ? 1 : 2);
    std::vector<double> ticks;
    for (int i = 0; i * step <= most * (1 + 1e-9); ++i)
        ticks.push_back(i * step);
    return ticks;
}

/// The powers of ten from `least` to `most`; with twice and five times each of them if there are
/// few.
inline std::vector<double> logarithmic_ticks(double least, double most) {
    const bool are_few = most / least < 1000;
    std::vector<double> ticks;
    for (double decade = std::floor(std::log10(least)); std::pow(10.0, decade) <= most; ++decade)
        for (const double factor : {1.0, 2.0, 5.0}) {
            const double tick = factor * std::pow(10.0, decade);
            if (tick >= least && tick <= most && (factor == 1 || are_few))
                ticks.push_back(tick);
        }
    return ticks;
}

/// A horizontal axis between two x coordinates. It is linear from 0 on, or logarithmic.
class Axis {
public:
    static Axis linear(double left, double right, double most) {
        return {left, right, 0, most, false};
    }
    static Axis logarithmic(double left, double right, double least, double most) {
        return {left, right, least, std::max(most, least * 2), true};
    }

    bool is_logarithmic() const { return is_logarithmic_; }

    /// The x coordinate of a value; nothing if the value has no place on the axis, such as infinity,
    /// or 0 if the axis is logarithmic.
    std::optional<double> x_of(double value) const {
        if (!std::isfinite(value) || (is_logarithmic_ && value <= 0))
            return std::nullopt;
        const double share = is_logarithmic_ ? std::log(value / least_) / std::log(most_ / least_)
                             : most_ > 0     ? value / most_
                                             : 0;
        return left_ + (right_ - left_) * share;
    }

    std::vector<double> ticks() const {
        return is_logarithmic_ ? logarithmic_ticks(least_, most_) : linear_ticks(most_);
    }

private:
    Axis(double left, double right, double least, double most, bool is_logarithmic)
        : left_(left), right_(right), least_(least), most_(most), is_logarithmic_(is_logarithmic) {}

    double left_;
    double right_;
    double least_;
    double most_;
    bool is_logarithmic_;
};

} // namespace bench::report
