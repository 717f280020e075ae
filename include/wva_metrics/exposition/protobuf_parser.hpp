// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/detail/clean_text.hpp"
#include "wva_metrics/detail/utf8.hpp"
#include "wva_metrics/error.hpp"
#include "wva_metrics/exposition/detail/metric_expander.hpp"
#include "wva_metrics/exposition/detail/protobuf_family.hpp"
#include "wva_metrics/exposition/detail/wire_reader.hpp"
#include "wva_metrics/exposition/page_limits.hpp"
#include "wva_metrics/exposition/page_sample.hpp"
#include "wva_metrics/exposition/text_parser.hpp"
#include "wva_metrics/exposition/wanted_metrics.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace wva_metrics::exposition {

/// Reads a page of delimited protobuf messages `io.prometheus.client.MetricFamily`, in one piece or in
/// several, and passes on the samples that are wanted, named as in Prometheus' text: `x`,
/// `x{quantile}`, `x_bucket{le}`, `x_sum`, `x_count`; of gauge histograms `x_gsum` and `x_gcount`. A
/// native histogram is one sample with the family's name and `PageSample::histogram`; its `_sum`,
/// `_count` and classic buckets are passed on too. Exemplars, help, units and unknown fields are
/// skipped, and so is a metric that lacks the value of its family's type: absent is not 0.
///
/// A family that is not wanted is skipped without being decoded or kept, and what is wrong in it is not
/// found. **The samples are valid only if `finish` succeeds**, as with `TextParser`.
///
/// **Errors** of both functions, each with the family and its place in the page:
/// - `bad_response`: the page is malformed, is not UTF-8, or was cut off,
/// - `too_large`: one of the limits was exceeded; the message names it.
///
/// What a sink throws passes through; the page must be discarded then.
///
/// **Threads:** not thread-safe.
class ProtobufParser {
public:
    /// All arguments are copied.
    explicit ProtobufParser(WantedMetrics wanted = {}, const PageLimits& limits = {})
        : wanted_(std::move(wanted)), limits_(limits) {}

    /// Reads the next bytes, which need not outlive the call. After an error it returns the same one
    /// again, and reads nothing.
    template <PageSink Sink>
    Result<void> feed(std::string_view piece, Sink& sink) {
        const Target target{
            const_cast<void*>(static_cast<const void*>(&sink)),
            [](void* to, const PageSample& sample) { (*static_cast<Sink*>(to))(sample); },
            [](void* to, std::string_view name, FamilyType type) {
                if constexpr (requires(Sink & one) { one.family(name, type); })
                    static_cast<Sink*>(to)->family(name, type);
            }};
        if (!error_)
            read(piece, target);
        return result();
    }
    /// The end of the page.
    template <PageSink Sink>
    Result<void> finish(Sink&) {
        if (!error_ && (size_bytes_ > 0 || size_))
            fail(Errc::bad_response, "the page was cut off");
        return result();
    }
    /// Begins another page. Keeps the memory.
    void restart() noexcept {
        family_bytes_.clear();
        error_.reset();
        page_bytes_ = samples_ = families_ = 0;
        next_family();
    }

    /// The samples that were passed on.
    std::size_t samples() const noexcept { return samples_; }
    /// The families that were read or skipped.
    std::size_t families() const noexcept { return families_; }

private:
    /// A sink without its type.
    struct Target {
        void* sink;
        detail::MetricExpander::Emit emit;
        void (*family)(void* sink, std::string_view name, FamilyType type);
    };

    Result<void> result() const { return error_ ? Result<void>(*error_) : Result<void>(); }
    void fail(Errc code, const std::string& problem) {
        std::string message = "family " + std::to_string(families_ + 1);
        if (!head_.name.empty())
            message += " (" + wva_metrics::detail::clean_text(head_.name, 200) + ")";
        error_ = Error(code, message + ": " + problem);
    }
    void exceed(const char* bound, std::size_t most) {
        fail(Errc::too_large, "more than PageLimits::" + std::string(bound) + " = " +
                                  std::to_string(most) + " allows");
    }

    void read(std::string_view piece, const Target& target) {
        page_bytes_ += piece.size();
        if (page_bytes_ > limits_.max_page_bytes)
            return exceed("max_page_bytes", limits_.max_page_bytes);
        while (!error_ && !piece.empty()) {
            if (!size_) {
                read_size(piece);
                continue;
            }
            const std::size_t missing = *size_ - taken_;
            const std::string_view part = piece.substr(0, missing);
            piece.remove_prefix(part.size());
            taken_ += part.size();
            if (is_skipped_) {
                // Its bytes are not looked at.
            } else if (part.size() == *size_) {
                read_family(part, true, target);
            } else {
                family_bytes_.append(part);
                read_family(family_bytes_, taken_ == *size_, target);
            }
            if (!error_ && taken_ == *size_) {
                ++families_;
                next_family();
            }
        }
    }
    /// The size of a family, a byte at a time, because the piece may end within it.
    void read_size(std::string_view& piece) {
        const auto byte = static_cast<unsigned char>(piece.front());
        piece.remove_prefix(1);
        // More than nine bytes, which hold 63 bits, are too much for any limit.
        if (size_bytes_ == 9)
            return fail(Errc::bad_response, "the size of a family is malformed");
        size_value_ |= static_cast<std::uint64_t>(byte & 0x7FU) << (7 * size_bytes_);
        ++size_bytes_;
        if (byte >= 0x80)
            return;
        if (size_value_ > limits_.max_family_bytes)
            return exceed("max_family_bytes", limits_.max_family_bytes);
        if (size_value_ == 0)
            return fail(Errc::bad_response, "a family has no name");
        size_ = static_cast<std::size_t>(size_value_);
    }
    void next_family() noexcept {
        size_.reset();
        size_bytes_ = 0;
        size_value_ = 0;
        taken_ = head_bytes_ = 0;
        is_skipped_ = has_head_ = false;
        family_bytes_.clear();
        head_.clear();
    }

    /// Reads what has arrived of a family: its head as soon as it is there, the rest at once.
    void read_family(std::string_view bytes, bool is_complete, const Target& target) {
        if (!has_head_)
            read_head(bytes, target);
        if (error_ || is_skipped_ || !is_complete)
            return;
        // A field may come after the first metric.
        head_.clear();
        detail::WireReader reader(bytes);
        while (reader.next())
            head_.read(reader);
        if (reader.problem != nullptr)
            return fail(Errc::bad_response, reader.problem);
        if (!has_head_)
            begin_family(target);
        if (error_ || is_skipped_)
            return;
        detail::MetricExpander expander(wanted_, limits_.max_samples, samples_, sample_name_,
                                        target.sink, target.emit);
        if (family_.read(bytes, head_, expander, limits_))
            return;
        if (family_.bound != nullptr)
            return exceed(family_.bound, family_.most);
        fail(Errc::bad_response, family_.problem);
    }
    /// Reads the fields before the first metric, if they have all arrived.
    void read_head(std::string_view bytes, const Target& target) {
        detail::WireReader reader(bytes.substr(head_bytes_));
        while (reader.next() && reader.number != detail::metric_field) {
            head_.read(reader);
            head_bytes_ = bytes.size() - reader.remaining();
        }
        const bool is_at_metric = reader.number == detail::metric_field;
        if (is_at_metric && !head_.name.empty() && head_.has_type)
            begin_family(target);
    }
    /// The name and the type are known.
    void begin_family(const Target& target) {
        has_head_ = true;
        if (head_.name.empty() || head_.name.size() > limits_.max_name_bytes ||
            !wva_metrics::detail::is_valid_utf8(head_.name)) {
            if (head_.name.size() > limits_.max_name_bytes)
                return exceed("max_name_bytes", limits_.max_name_bytes);
            return fail(Errc::bad_response, "a family has no name, or one that is not UTF-8");
        }
        target.family(target.sink, head_.name, head_.family_type());
        is_skipped_ = !wanted_.wants_any_with_prefix(head_.name);
        if (is_skipped_)
            family_bytes_.clear();
    }

    WantedMetrics wanted_;
    PageLimits limits_;
    detail::ProtobufFamily family_{};
    std::string sample_name_{};
    std::optional<Error> error_{};
    std::size_t page_bytes_ = 0;
    std::size_t samples_ = 0;
    std::size_t families_ = 0;

    // The family that is being read.

    std::uint64_t size_value_ = 0;
    unsigned size_bytes_ = 0;
    std::optional<std::size_t> size_{};
    std::size_t taken_ = 0;      ///< The bytes of it that have arrived.
    std::string family_bytes_{}; ///< These, unless they came in one piece.
    /// The bytes of the fields that were read before the first metric.
    std::size_t head_bytes_ = 0;
    detail::FamilyHead head_{};
    bool has_head_ = false;
    bool is_skipped_ = false;
};

/// Reads a whole page. See `ProtobufParser`.
template <PageSink Sink>
Result<void> parse_protobuf(std::string_view page, Sink&& sink, const WantedMetrics& wanted = {},
                            const PageLimits& limits = {}) {
    ProtobufParser parser(wanted, limits);
    if (Result<void> fed = parser.feed(page, sink); !fed)
        return fed;
    return parser.finish(sink);
}

} // namespace wva_metrics::exposition
