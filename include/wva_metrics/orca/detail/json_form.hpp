// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/error.hpp"
#include "wva_metrics/orca/detail/metric_list.hpp"
#include "wva_metrics/orca/detail/text_form.hpp"
#include "wva_metrics/orca/orca_metric.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace wva_metrics::orca::detail {

/// Reads the one JSON document that a report is: an object of numbers, three of whose members are
/// objects of numbers again. Nothing else is valid JSON here, so depth needs no bound.
class JsonForm {
public:
    JsonForm(std::string_view text, MetricList& list) noexcept : text_(text), list_(list) {}

    std::optional<Error> read() {
        read_object(nullptr);
        skip_blanks();
        if (!error_ && at_ != text_.size())
            fail("has something after the JSON object");
        return std::move(error_);
    }

private:
    static std::optional<OrcaField> field_of(std::string_view name) noexcept {
        if (const std::optional<OrcaField> plain = plain_field(name))
            return plain;
        // The other spelling is that of protobuf's own JSON printer.
        struct Spelling {
            std::string_view name;
            OrcaField field;
        };
        constexpr Spelling others[] = {
            {"cpuUtilization", OrcaField::cpu_utilization},
            {"memUtilization", OrcaField::mem_utilization},
            {"applicationUtilization", OrcaField::application_utilization},
            {"rpsFractional", OrcaField::rps_fractional},
            {"named_metrics", OrcaField::named_metric},
            {"namedMetrics", OrcaField::named_metric},
            {"utilization", OrcaField::utilization},
            {"request_cost", OrcaField::request_cost},
            {"requestCost", OrcaField::request_cost},
        };
        for (const Spelling& other : others)
            if (other.name == name)
                return other.field;
        return std::nullopt;
    }

    /// `owner`: the member whose value this object is; null for the report itself.
    void read_object(const OrcaField* owner) {
        if (!take('{'))
            return fail("is not a JSON object" + where());
        if (take('}'))
            return;
        do {
            const std::string_view name = read_name();
            if (!error_ && !take(':'))
                fail("lacks a ':'" + where());
            if (error_)
                return;
            if (owner != nullptr)
                add({*owner, name, read_number(name)});
            else
                read_member(name);
            if (error_)
                return;
        } while (take(','));
        if (!take('}'))
            fail("lacks a ',' or a '}'" + where());
    }

    void read_member(std::string_view name) {
        if (name == "rps")
            return skip_old_rate();
        const std::optional<OrcaField> field = field_of(name);
        if (!field)
            return fail("has the unknown member " + quoted(name));
        if (*field < OrcaField::named_metric)
            return add({*field, {}, read_number(name)});
        const auto bit = 1U << static_cast<unsigned>(*field);
        if ((seen_ & bit) != 0)
            return fail("has " + quoted(name) + " twice");
        seen_ |= bit;
        read_object(&*field);
    }

    /// The whole number that `rps_fractional` has replaced; protobuf writes it as a string.
    void skip_old_rate() {
        const bool is_quoted = take('"');
        read_number("rps");
        if (!error_ && is_quoted && (at_ == text_.size() || text_[at_++] != '"'))
            fail("has an 'rps' that is not a number");
    }

    void add(const OrcaMetric& metric) {
        if (!error_)
            error_ = list_.add(metric);
    }

    std::string_view read_name() {
        if (!take('"')) {
            fail("lacks a name in quotes" + where());
            return {};
        }
        const std::size_t first = at_;
        while (at_ < text_.size() && text_[at_] != '"') {
            const auto c = static_cast<unsigned char>(text_[at_]);
            if (c == '\\' || c < ' ') {
                fail("has a name with an escape or a control character, which no metric has");
                return {};
            }
            ++at_;
        }
        if (at_ == text_.size()) {
            fail("ends within a name");
            return {};
        }
        return text_.substr(first, at_++ - first);
    }

    /// A number as JSON writes it: without a plus sign, leading zeros or bare dots.
    double read_number(std::string_view name) {
        skip_blanks();
        const std::size_t first = at_;
        while (at_ < text_.size() &&
               std::string_view("+-.0123456789eE").find(text_[at_]) != std::string_view::npos)
            ++at_;
        const std::string_view digits = text_.substr(first, at_ - first);
        const std::optional<double> value =
            is_json_number(digits) ? parse_number(digits) : std::nullopt;
        if (!value)
            fail("has no number for " + quoted(name) + where());
        return value.value_or(0);
    }

    static bool is_json_number(std::string_view text) noexcept {
        if (text.starts_with('-'))
            text.remove_prefix(1);
        const std::size_t whole = count_digits(text);
        if (whole == 0 || (whole > 1 && text.front() == '0'))
            return false;
        text.remove_prefix(whole);
        if (text.starts_with('.')) {
            const std::size_t fraction = count_digits(text.substr(1));
            if (fraction == 0)
                return false;
            text.remove_prefix(1 + fraction);
        }
        if (text.starts_with('e') || text.starts_with('E')) {
            text.remove_prefix(1);
            if (text.starts_with('+') || text.starts_with('-'))
                text.remove_prefix(1);
            const std::size_t exponent = count_digits(text);
            if (exponent == 0)
                return false;
            text.remove_prefix(exponent);
        }
        return text.empty();
    }

    static std::size_t count_digits(std::string_view text) noexcept {
        return std::min(text.find_first_not_of("0123456789"), text.size());
    }

    void skip_blanks() noexcept {
        while (at_ < text_.size() &&
               (is_blank(text_[at_]) || text_[at_] == '\n' || text_[at_] == '\r'))
            ++at_;
    }

    bool take(char c) noexcept {
        skip_blanks();
        if (at_ == text_.size() || text_[at_] != c)
            return false;
        ++at_;
        return true;
    }

    std::string where() const { return " at byte " + std::to_string(at_); }

    void fail(const std::string& what) {
        if (!error_)
            error_ = malformed(what);
    }

    std::string_view text_;
    MetricList& list_;
    std::size_t at_ = 0;
    unsigned seen_ = 0;
    std::optional<Error> error_;
};

} // namespace wva_metrics::orca::detail
