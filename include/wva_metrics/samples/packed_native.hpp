// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/exposition/native_histogram.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace wva_metrics::samples {

namespace detail {

/// Appends numbers to bytes, small ones in few.
class NativePacker {
public:
    void add(double number) {
        char raw[sizeof number];
        std::memcpy(raw, &number, sizeof number);
        bytes_.append(raw, sizeof number);
    }
    void add_unsigned(std::uint64_t number) {
        for (; number >= 0x80; number >>= 7U)
            bytes_.push_back(static_cast<char>(number | 0x80U));
        bytes_.push_back(static_cast<char>(number));
    }
    void add_signed(std::int64_t number) {
        const std::uint64_t twice = static_cast<std::uint64_t>(number) << 1U;
        add_unsigned(number < 0 ? ~twice : twice);
    }
    std::string take() noexcept { return std::move(bytes_); }

private:
    std::string bytes_;
};

/// Reads what a `NativePacker` has written.
class NativeUnpacker {
public:
    explicit NativeUnpacker(std::string_view bytes) noexcept : bytes_(bytes) {}

    double take() noexcept {
        double number = 0;
        std::memcpy(&number, bytes_.data(), sizeof number);
        bytes_.remove_prefix(sizeof number);
        return number;
    }
    std::uint64_t take_unsigned() noexcept {
        std::uint64_t number = 0;
        for (unsigned shift = 0;; shift += 7) {
            const auto byte = static_cast<unsigned char>(bytes_.front());
            bytes_.remove_prefix(1);
            number |= static_cast<std::uint64_t>(byte & 0x7FU) << shift;
            if (byte < 0x80)
                return number;
        }
    }
    std::int64_t take_signed() noexcept {
        const std::uint64_t number = take_unsigned();
        return static_cast<std::int64_t>((number >> 1U) ^ (0 - (number & 1U)));
    }

private:
    std::string_view bytes_;
};

} // namespace detail

/// A native histogram in little memory: where its buckets are, and the differences of their counts.
/// One of 40 buckets takes about 100 bytes instead of 500. Copies share them.
class PackedNative {
public:
    /// None.
    PackedNative() noexcept = default;
    /// The histogram is valid (`exposition::find_problem`).
    explicit PackedNative(const exposition::NativeHistogram& histogram)
        : bytes_(std::make_shared<const std::string>(pack(histogram))) {}

    /// True if it is none.
    bool empty() const noexcept { return bytes_ == nullptr; }
    /// How many bytes it takes, without what the sharing costs.
    std::size_t size() const noexcept { return bytes_ ? bytes_->size() : 0; }

    /// What was packed. Not of none.
    exposition::NativeHistogram unpack() const {
        detail::NativeUnpacker from(*bytes_);
        exposition::NativeHistogram histogram;
        const bool is_whole = from.take_unsigned() != 0;
        histogram.schema = static_cast<int>(from.take_signed());
        histogram.zero_threshold = from.take();
        histogram.sum = from.take();
        histogram.zero_count = take_count(from, is_whole);
        histogram.count = take_count(from, is_whole);
        histogram.custom_values.resize(from.take_unsigned());
        for (double& bound : histogram.custom_values)
            bound = from.take();
        for (exposition::NativeBuckets* buckets : {&histogram.positive, &histogram.negative})
            unpack_buckets(from, is_whole, *buckets);
        return histogram;
    }

    /// The same histogram, bit by bit.
    friend bool operator==(const PackedNative& one, const PackedNative& other) noexcept {
        return one.bytes_ == other.bytes_ ||
               (one.bytes_ && other.bytes_ && *one.bytes_ == *other.bytes_);
    }

private:
    /// Larger numbers are not exact, and their differences need not be.
    static constexpr double largest_whole = 9007199254740992.0;

    static bool is_whole(double count) noexcept {
        return std::abs(count) <= largest_whole && count == std::trunc(count) &&
               !(count == 0 && std::signbit(count));
    }
    static bool is_whole(const exposition::NativeHistogram& histogram) noexcept {
        const auto are_whole = [](const exposition::NativeBuckets& buckets) {
            return std::ranges::all_of(buckets.counts,
                                       [](double count) { return is_whole(count); });
        };
        return is_whole(histogram.zero_count) && is_whole(histogram.count) &&
               are_whole(histogram.positive) && are_whole(histogram.negative);
    }

    static void pack_count(detail::NativePacker& to, double count, bool is_whole) {
        if (is_whole)
            to.add_signed(static_cast<std::int64_t>(count));
        else
            to.add(count);
    }
    static double take_count(detail::NativeUnpacker& from, bool is_whole) noexcept {
        return is_whole ? static_cast<double>(from.take_signed()) : from.take();
    }

    static std::string pack(const exposition::NativeHistogram& histogram) {
        detail::NativePacker to;
        const bool has_whole_counts = is_whole(histogram);
        to.add_unsigned(has_whole_counts ? 1 : 0);
        to.add_signed(histogram.schema);
        to.add(histogram.zero_threshold);
        to.add(histogram.sum);
        pack_count(to, histogram.zero_count, has_whole_counts);
        pack_count(to, histogram.count, has_whole_counts);
        to.add_unsigned(histogram.custom_values.size());
        for (const double bound : histogram.custom_values)
            to.add(bound);
        for (const exposition::NativeBuckets* buckets :
             {&histogram.positive, &histogram.negative}) {
            to.add_unsigned(buckets->spans.size());
            for (const exposition::NativeSpan& span : buckets->spans) {
                to.add_signed(span.offset);
                to.add_unsigned(span.length);
            }
            to.add_unsigned(buckets->counts.size());
            double before = 0;
            for (const double count : buckets->counts)
                pack_count(to, has_whole_counts ? count - std::exchange(before, count) : count,
                           has_whole_counts);
        }
        return to.take();
    }

    static void unpack_buckets(detail::NativeUnpacker& from, bool is_whole,
                               exposition::NativeBuckets& buckets) {
        buckets.spans.resize(from.take_unsigned());
        for (exposition::NativeSpan& span : buckets.spans) {
            span.offset = static_cast<std::int32_t>(from.take_signed());
            span.length = static_cast<std::uint32_t>(from.take_unsigned());
        }
        buckets.counts.resize(from.take_unsigned());
        double before = 0;
        for (double& count : buckets.counts) {
            count = take_count(from, is_whole) + (is_whole ? before : 0);
            before = count;
        }
    }

    std::shared_ptr<const std::string> bytes_;
};

} // namespace wva_metrics::samples
