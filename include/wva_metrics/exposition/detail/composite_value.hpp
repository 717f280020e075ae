// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/exposition/detail/characters.hpp"
#include "wva_metrics/exposition/detail/metric_value.hpp"
#include "wva_metrics/exposition/detail/parse_number.hpp"
#include "wva_metrics/exposition/family_type.hpp"
#include "wva_metrics/exposition/native_histogram.hpp"

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string_view>
#include <vector>

namespace wva_metrics::exposition::detail {

/// Reads a composite value of OpenMetrics 2.0, tolerantly: `{count:2,sum:1.2e2,bucket:[1:1,+Inf:2]}`,
/// the fields in any order, blanks between them, and unknown fields skipped.
class CompositeValue {
public:
    /// What was expected; null if nothing is wrong.
    const char* problem = nullptr;
    /// True if `max_buckets` was exceeded.
    bool is_too_large = false;
    /// What the fields say that it is.
    FamilyType type = FamilyType::histogram;

    /// Reads from the beginning of `text`, which begins with `{`, and removes what it has read, up to
    /// the fault if there is one.
    bool read(std::string_view& text, MetricValue& into, std::size_t max_buckets) {
        *this = CompositeValue();
        max_buckets_ = max_buckets;
        clear(into);
        text.remove_prefix(1);
        do {
            skip_blanks(text);
            read_field(text, into);
            skip_blanks(text);
        } while (problem == nullptr && take(text, ','));
        if (problem == nullptr && !take(text, '}'))
            problem = "expected , or }";
        if (problem == nullptr && !(has_count_ && has_sum_))
            problem = "expected a value with the fields count and sum, or gcount and gsum";
        into.is_native = has_schema_;
        into.native.count = into.value;
        into.native.sum = into.sum;
        return problem == nullptr;
    }

private:
    static void clear(MetricValue& into) noexcept {
        into.value = into.sum = 0;
        into.parts.clear();
        into.native.schema = 0;
        into.native.zero_threshold = into.native.zero_count = 0;
        for (NativeBuckets* buckets : {&into.native.positive, &into.native.negative}) {
            buckets->spans.clear();
            buckets->counts.clear();
        }
    }
    static void skip_blanks(std::string_view& text) noexcept {
        while (!text.empty() && is_blank(text.front()))
            text.remove_prefix(1);
    }
    static bool take(std::string_view& text, char wanted) noexcept {
        if (!text.starts_with(wanted))
            return false;
        text.remove_prefix(1);
        return true;
    }
    double take_number(std::string_view& text) {
        std::size_t size = 0;
        while (size < text.size() &&
               std::string_view(",:]} \t").find(text[size]) == std::string_view::npos)
            ++size;
        const std::optional<double> number = parse_number(text.substr(0, size));
        if (!number)
            problem = "expected a number";
        else
            text.remove_prefix(size);
        return number.value_or(0);
    }
    template <typename Integer>
    Integer take_integer(std::string_view& text) {
        const std::string_view before = text;
        const double number = take_number(text);
        if (problem == nullptr &&
            (number != std::floor(number) ||
             number < static_cast<double>(std::numeric_limits<Integer>::min()) ||
             number > static_cast<double>(std::numeric_limits<Integer>::max()))) {
            problem = "expected a whole number";
            text = before;
        }
        return problem == nullptr ? static_cast<Integer>(number) : Integer{};
    }
    /// Reads a list in brackets, which may be empty.
    template <typename Element>
    void read_list(std::string_view& text, Element element) {
        if (!take(text, '['))
            problem = "expected [";
        skip_blanks(text);
        if (problem != nullptr || take(text, ']'))
            return;
        std::size_t count = 0;
        do {
            if (count++ == max_buckets_) {
                is_too_large = true;
                problem = "";
                return;
            }
            skip_blanks(text);
            element();
            skip_blanks(text);
        } while (problem == nullptr && take(text, ','));
        if (problem == nullptr && !take(text, ']'))
            problem = "expected , or ]";
    }
    void read_parts(std::string_view& text, std::vector<MetricValue::Part>& parts) {
        parts.clear();
        read_list(text, [&] {
            MetricValue::Part part;
            part.key = take_number(text);
            if (problem == nullptr && !take(text, ':'))
                problem = "expected :";
            if (problem == nullptr)
                part.value = take_number(text);
            parts.push_back(part);
        });
    }
    void read_spans(std::string_view& text, std::vector<NativeSpan>& spans) {
        spans.clear();
        read_list(text, [&] {
            NativeSpan span;
            span.offset = take_integer<std::int32_t>(text);
            if (problem == nullptr && !take(text, ':'))
                problem = "expected :";
            if (problem == nullptr)
                span.length = take_integer<std::uint32_t>(text);
            spans.push_back(span);
        });
    }
    void read_counts(std::string_view& text, std::vector<double>& counts) {
        counts.clear();
        read_list(text, [&] { counts.push_back(take_number(text)); });
    }
    /// Skips the value of a field that this version does not know.
    void skip_field(std::string_view& text) {
        if (text.starts_with('[')) {
            const std::size_t end = text.find(']');
            if (end == std::string_view::npos)
                problem = "expected ]";
            else
                text.remove_prefix(end + 1);
            return;
        }
        take_number(text);
    }

    void read_field(std::string_view& text, MetricValue& into) {
        std::size_t size = 0;
        while (size < text.size() && is_kind(text[size], label_part))
            ++size;
        const std::string_view name = text.substr(0, size);
        if (name.empty()) {
            problem = "expected the name of a field";
            return;
        }
        text.remove_prefix(size);
        if (!take(text, ':')) {
            problem = "expected :";
            return;
        }
        if (name == "gcount" || name == "gsum")
            type = FamilyType::gauge_histogram;
        if (name == "count" || name == "gcount") {
            has_count_ = true;
            into.value = take_number(text);
        } else if (name == "sum" || name == "gsum") {
            has_sum_ = true;
            into.sum = take_number(text);
        } else if (name == "bucket") {
            read_parts(text, into.parts);
        } else if (name == "quantile") {
            type = FamilyType::summary;
            read_parts(text, into.parts);
        } else if (name == "schema") {
            has_schema_ = true;
            into.native.schema = take_integer<std::int16_t>(text);
        } else if (name == "zero_threshold") {
            into.native.zero_threshold = take_number(text);
        } else if (name == "zero_count") {
            into.native.zero_count = take_number(text);
        } else if (name == "negative_spans") {
            read_spans(text, into.native.negative.spans);
        } else if (name == "positive_spans") {
            read_spans(text, into.native.positive.spans);
        } else if (name == "negative_buckets") {
            read_counts(text, into.native.negative.counts);
        } else if (name == "positive_buckets") {
            read_counts(text, into.native.positive.counts);
        } else {
            skip_field(text);
        }
    }

    std::size_t max_buckets_ = 0;
    bool has_count_ = false;
    bool has_sum_ = false;
    bool has_schema_ = false;
};

} // namespace wva_metrics::exposition::detail
