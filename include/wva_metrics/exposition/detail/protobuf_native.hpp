// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/exposition/detail/wire_reader.hpp"
#include "wva_metrics/exposition/native_histogram.hpp"

#include <bit>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string_view>

namespace wva_metrics::exposition::detail {

/// Reads the fields of a message `io.prometheus.client.Histogram` that describe a native histogram.
class ProtobufNative {
public:
    /// Why a field cannot be read; null if it can.
    const char* problem = nullptr;
    /// The bound that was exceeded; null if none was.
    const char* bound = nullptr;

    /// Begins another histogram.
    void clear(NativeHistogram& into) noexcept {
        problem = bound = nullptr;
        zero_count_ = float_zero_count_ = 0;
        positive_ = negative_ = {};
        into.schema = 0;
        into.zero_threshold = 0;
        for (NativeBuckets* buckets : {&into.positive, &into.negative}) {
            buckets->spans.clear();
            buckets->counts.clear();
        }
    }
    /// Reads a field; ignores one of something else. False if it cannot be read.
    bool read(WireReader& reader, NativeHistogram& into, std::size_t max_buckets) {
        max_buckets_ = max_buckets;
        switch (reader.number) {
        case 5: {
            const std::int64_t schema = reader.as_zigzag();
            // One that no `int` holds is as unknown as any other.
            into.schema = schema < -1000 || schema > 1000 ? 1000 : static_cast<int>(schema);
            break;
        }
        case 6:
            into.zero_threshold = reader.as_double();
            break;
        case 7:
            zero_count_ = static_cast<double>(reader.as_unsigned());
            break;
        case 8:
            float_zero_count_ = reader.as_double();
            break;
        case 9:
            read_span(reader.as_bytes(), into.negative);
            break;
        case 10:
            read_deltas(reader, negative_, into.negative);
            break;
        case 11:
            read_counts(reader, negative_, into.negative);
            break;
        case 12:
            read_span(reader.as_bytes(), into.positive);
            break;
        case 13:
            read_deltas(reader, positive_, into.positive);
            break;
        case 14:
            read_counts(reader, positive_, into.positive);
            break;
        default:
            break;
        }
        return problem == nullptr;
    }
    /// True if the histogram is a native one. An empty one has a span of no bucket, so that it is not
    /// taken for a classic one.
    bool finish(NativeHistogram& into) const noexcept {
        into.zero_count = float_zero_count_ > 0 ? float_zero_count_ : zero_count_;
        return !into.positive.spans.empty() || !into.negative.spans.empty() ||
               into.zero_threshold > 0 || into.zero_count > 0;
    }

private:
    /// Where the buckets of one sign stand.
    struct Progress {
        std::int64_t last = 0;
        bool has_deltas = false;
        bool has_counts = false;
    };

    void exceed() noexcept {
        problem = "";
        bound = "max_buckets";
    }
    void read_span(std::string_view message, NativeBuckets& buckets) {
        if (buckets.spans.size() == max_buckets_)
            return exceed();
        std::int64_t offset = 0;
        std::uint64_t length = 0;
        WireReader reader(message);
        while (reader.next()) {
            if (reader.number == 1)
                offset = reader.as_zigzag();
            else if (reader.number == 2)
                length = reader.as_unsigned();
        }
        problem = reader.problem;
        using Offset = std::numeric_limits<std::int32_t>;
        if (offset < Offset::min() || offset > Offset::max() ||
            length > std::numeric_limits<std::uint32_t>::max())
            problem = "a span of a native histogram is out of range";
        else
            buckets.spans.push_back(
                {static_cast<std::int32_t>(offset), static_cast<std::uint32_t>(length)});
    }
    void add_count(double count, const Progress& progress, NativeBuckets& buckets) {
        if (progress.has_deltas && progress.has_counts)
            problem = "a native histogram has both whole and fractional counts";
        else if (buckets.counts.size() == max_buckets_)
            exceed();
        else
            buckets.counts.push_back(count);
    }
    void add_delta(std::uint64_t zigzag, Progress& progress, NativeBuckets& buckets) {
        const std::int64_t delta = from_zigzag(zigzag);
        // All sums before were at least 0.
        if (delta > std::numeric_limits<std::int64_t>::max() - progress.last ||
            progress.last + delta < 0) {
            problem = "a bucket of a native histogram has a count that is negative or too large";
            return;
        }
        progress.has_deltas = true;
        progress.last += delta;
        add_count(static_cast<double>(progress.last), progress, buckets);
    }
    /// Repeated numbers are packed into one field, or each is a field of its own.
    void read_deltas(WireReader& reader, Progress& progress, NativeBuckets& buckets) {
        if (reader.type == WireType::varint)
            return add_delta(reader.value, progress, buckets);
        std::string_view packed = reader.as_bytes();
        while (problem == nullptr && !packed.empty())
            if (const std::optional<std::uint64_t> number = take_varint(packed, &problem))
                add_delta(*number, progress, buckets);
    }
    void read_counts(WireReader& reader, Progress& progress, NativeBuckets& buckets) {
        progress.has_counts = true;
        if (reader.type == WireType::fixed64)
            return add_count(reader.as_double(), progress, buckets);
        const std::string_view packed = reader.as_bytes();
        if (packed.size() % 8 != 0)
            problem = "a message ends within a number";
        for (std::size_t at = 0; problem == nullptr && at < packed.size(); at += 8) {
            std::uint64_t bits = 0;
            for (std::size_t i = 0; i < 8; ++i)
                bits |= static_cast<std::uint64_t>(static_cast<unsigned char>(packed[at + i]))
                        << (8 * i);
            add_count(std::bit_cast<double>(bits), progress, buckets);
        }
    }

    std::size_t max_buckets_ = 0;
    double zero_count_ = 0;
    double float_zero_count_ = 0;
    Progress positive_{};
    Progress negative_{};
};

} // namespace wva_metrics::exposition::detail
