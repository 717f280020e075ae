// SPDX-License-Identifier: Apache-2.0
//
// What replicas have left of one resource until they are full, and how that is explained.
//
// A decision and its explanation use the same numbers: values are rounded to one decimal of the
// unit that is shown before they are compared. So who adds up the shown numbers gets the decision.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdio>
#include <string>

namespace saturation {

/// A resource of a replica, and how it is shown.
struct Resource {
    const char* name;
    const char* unit; ///< After each number.
    const char* what; ///< What is counted; shown after a threshold.
    double scale;     ///< From values to the unit that is shown.
    double full;      ///< Value from which a replica is full.
    double required;  ///< Headroom that replicas must have on average.

    /// The unit of all comparisons. Whole numbers, whose sums are exact.
    double tenths(double value) const { return std::round(value * scale * 10); }
};

/// With one decimal, or with more if otherwise it would not compare with the threshold as it does.
inline std::string text_beside(double tenths, double threshold) {
    char text[400];
    for (int decimals = 1; decimals <= 9; ++decimals) {
        std::snprintf(text, sizeof text, "%.*f", decimals, tenths / 10);
        if ((std::stod(text) * 10 < threshold) == (tenths < threshold))
            break;
    }
    return text;
}

/// The headroom of a variant's replicas in one resource.
class Headroom {
public:
    explicit Headroom(const Resource& resource)
        : resource_(resource), full_(resource.tenths(resource.full)),
          required_(resource.tenths(resource.required)) {}

    std::string full_threshold() const { return number(full_) + resource_.what; }
    std::string required_threshold() const { return number(required_) + resource_.what; }
    /// `73.5 %`
    std::string text_of(double value) const { return number(resource_.tenths(value)); }
    /// `KV cache 92.0 % >= 80 %`, of a replica that is full.
    std::string full_text(double value) const {
        return std::string(resource_.name) + ' ' + text_of(value) + " >= " + number(full_) +
               resource_.what;
    }
    bool is_full(double value) const { return resource_.tenths(value) >= full_; }
    /// A replica that is full in either resource has no headroom in both: a replica that becomes
    /// full never makes its variant look less loaded.
    void add(double value, bool replica_is_full) {
        const double used = resource_.tenths(value);
        ++count_;
        load_ += used;
        headroom_ += replica_is_full ? 0 : full_ - used;
    }
    bool is_known() const { return count_ > 0; }
    /// On average of the replicas whose value is known.
    bool is_too_low() const {
        return is_known() && headroom_ < required_ * static_cast<double>(count_);
    }
    /// True if so many replicas could serve the whole load and keep the required headroom.
    bool is_enough_with(std::size_t replicas) const {
        return replicas > 0 && full_ * static_cast<double>(replicas) - load_ >=
                                   required_ * static_cast<double>(replicas);
    }

    /// `average KV cache headroom 6.5 % < 10 %`
    std::string average_text() const {
        return std::string("average ") + resource_.name + " headroom " +
               compared(headroom_ / static_cast<double>(count_));
    }
    /// `KV cache headroom 80 % - 30.3 % / 3 = 69.9 % >= 10 %`
    std::string text_with(std::size_t replicas) const {
        return std::string(resource_.name) + " headroom " + number(full_) + " - " + number(load_) +
               " / " + std::to_string(replicas) + " = " +
               compared(full_ - load_ / static_cast<double>(replicas));
    }

private:
    /// Without unnecessary decimals.
    std::string number(double tenths) const {
        char text[40];
        std::snprintf(text, sizeof text, "%.10g", tenths / 10);
        return with_unit(text);
    }
    std::string with_unit(const std::string& number) const { return number + resource_.unit; }
    std::string compared(double headroom) const {
        return with_unit(text_beside(headroom, required_)) +
               (headroom < required_ ? " < " : " >= ") + number(required_) + resource_.what;
    }

    Resource resource_;
    double full_, required_, load_ = 0, headroom_ = 0;
    std::size_t count_ = 0;
};

} // namespace saturation
