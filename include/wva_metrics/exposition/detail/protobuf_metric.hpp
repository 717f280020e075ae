// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/detail/utf8.hpp"
#include "wva_metrics/exposition/detail/metric_value.hpp"
#include "wva_metrics/exposition/detail/protobuf_native.hpp"
#include "wva_metrics/exposition/detail/wire_reader.hpp"
#include "wva_metrics/exposition/page_limits.hpp"
#include "wva_metrics/label_view.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace wva_metrics::exposition::detail {

/// Reads one message `io.prometheus.client.Metric`. What it has read lives as long as the message and
/// until the next one. The field numbers are those of prometheus/client_model.
class ProtobufMetric : public MetricValue {
public:
    /// The messages that a metric may have, by the number of their field.
    enum Kind : std::uint8_t {
        none = 0,
        gauge = 2,
        counter = 3,
        summary = 4,
        untyped = 5,
        histogram = 7
    };

    /// Why it cannot be read; null if it can.
    const char* problem = nullptr;
    /// The bound that was exceeded; null if none was.
    const char* bound = nullptr;
    std::size_t most = 0; ///< Its value.

    /// Reads the labels, the time, and the value of one kind. False if there is no value of that kind,
    /// or if it cannot be read.
    bool read(std::string_view message, Kind wanted, const PageLimits& limits) {
        limits_ = &limits;
        labels.clear();
        timestamp_ms.reset();
        start_ms.reset();
        value = sum = 0;
        parts.clear();
        is_native = false;
        problem = bound = nullptr;
        std::optional<std::string_view> body;
        WireReader reader(message);
        while (problem == nullptr && reader.next()) {
            if (reader.number == 1 && reader.type == WireType::bytes)
                read_label(reader.bytes);
            else if (reader.number == 6)
                set_time(timestamp_ms, reader.as_signed());
            else if (reader.number == 1 || reader.number == wanted)
                body = reader.as_bytes();
        }
        note(reader);
        if (problem == nullptr && body)
            read_body(*body, wanted);
        return problem == nullptr && body.has_value();
    }

private:
    void note(const WireReader& reader) noexcept {
        if (problem == nullptr)
            problem = reader.problem;
    }
    void exceed(const char* name, std::size_t limit) noexcept {
        problem = "";
        bound = name;
        most = limit;
    }
    /// No time is 0: senders whose language has no absent numbers write it.
    static void set_time(std::optional<std::int64_t>& target, std::int64_t milliseconds) noexcept {
        if (milliseconds != 0)
            target = milliseconds;
    }

    void read_label(std::string_view message) {
        LabelView label;
        WireReader reader(message);
        while (reader.next()) {
            if (reader.number == 1)
                label.name = reader.as_bytes();
            else if (reader.number == 2)
                label.value = reader.as_bytes();
        }
        note(reader);
        if (problem != nullptr)
            return;
        if (label.name.size() > limits_->max_name_bytes)
            return exceed("max_name_bytes", limits_->max_name_bytes);
        if (label.value.size() > limits_->max_label_value_bytes)
            return exceed("max_label_value_bytes", limits_->max_label_value_bytes);
        if (labels.size() == limits_->max_labels)
            return exceed("max_labels", limits_->max_labels);
        if (label.name.empty() || label.name == "__name__")
            problem = "a label has no name, or the name __name__";
        else if (!wva_metrics::detail::is_valid_utf8(label.name) ||
                 !wva_metrics::detail::is_valid_utf8(label.value))
            problem = "a label is not UTF-8";
        for (const LabelView& other : labels)
            if (other.name == label.name)
                problem = "a label comes twice";
        labels.push_back(label);
    }

    void read_body(std::string_view message, Kind kind) {
        switch (kind) {
        case gauge:
        case untyped:
        case counter:
            return read_number(message, kind == counter);
        case summary:
            return read_summary(message);
        case histogram:
            return read_histogram(message);
        case none:
            break;
        }
    }
    void read_number(std::string_view message, bool has_start) {
        WireReader reader(message);
        while (reader.next()) {
            if (reader.number == 1)
                value = reader.as_double();
            else if (reader.number == 3 && has_start)
                read_start(reader.as_bytes());
        }
        note(reader);
    }
    /// A `google.protobuf.Timestamp`.
    void read_start(std::string_view message) noexcept {
        std::int64_t seconds = 0;
        std::int64_t nanoseconds = 0;
        WireReader reader(message);
        while (reader.next()) {
            if (reader.number == 1)
                seconds = reader.as_signed();
            else if (reader.number == 2)
                nanoseconds = reader.as_signed();
        }
        note(reader);
        // The years 1 to 9999 of that message, and less than a second.
        if (seconds < -62'135'596'800 || seconds > 253'402'300'799 || nanoseconds < 0 ||
            nanoseconds > 999'999'999)
            problem = "a time is not valid";
        else
            set_time(start_ms, seconds * 1000 + nanoseconds / 1'000'000);
    }
    void read_part(std::string_view message, std::uint64_t key, std::uint64_t number,
                   std::uint64_t whole_number) {
        if (parts.size() == limits_->max_buckets)
            return exceed("max_buckets", limits_->max_buckets);
        Part part;
        double count = 0;
        WireReader reader(message);
        while (reader.next()) {
            if (reader.number == key)
                part.key = reader.as_double();
            else if (reader.number == number)
                part.value = reader.as_double();
            else if (reader.number == whole_number)
                count = static_cast<double>(reader.as_unsigned());
        }
        note(reader);
        if (whole_number != 0 && !(part.value > 0))
            part.value = count;
        parts.push_back(part);
    }
    void read_summary(std::string_view message) {
        WireReader reader(message);
        while (problem == nullptr && reader.next()) {
            if (reader.number == 1)
                value = static_cast<double>(reader.as_unsigned());
            else if (reader.number == 2)
                sum = reader.as_double();
            else if (reader.number == 3)
                read_part(reader.as_bytes(), 1, 2, 0);
            else if (reader.number == 4)
                read_start(reader.as_bytes());
        }
        note(reader);
    }

    void read_histogram(std::string_view message) {
        native_.clear(native);
        double float_count = 0;
        WireReader reader(message);
        while (problem == nullptr && reader.next()) {
            if (reader.number == 1)
                value = static_cast<double>(reader.as_unsigned());
            else if (reader.number == 2)
                sum = reader.as_double();
            else if (reader.number == 3)
                read_part(reader.as_bytes(), 2, 4, 1);
            else if (reader.number == 4)
                float_count = reader.as_double();
            else if (reader.number == 15)
                read_start(reader.as_bytes());
            else if (!native_.read(reader, native, limits_->max_buckets))
                refuse_native();
        }
        note(reader);
        if (float_count > 0)
            value = float_count;
        native.count = value;
        native.sum = sum;
        is_native = native_.finish(native);
    }

    void refuse_native() noexcept {
        if (native_.bound != nullptr)
            exceed(native_.bound, limits_->max_buckets);
        else
            problem = native_.problem;
    }

    ProtobufNative native_{};
    const PageLimits* limits_ = nullptr;
};

} // namespace wva_metrics::exposition::detail
