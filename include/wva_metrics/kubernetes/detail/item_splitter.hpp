// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/kubernetes/detail/identity_scanner.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace wva_metrics::kubernetes::detail {

/// Splits the text of a list, which arrives in pieces, into the elements of its array `items` and
/// the text around them. Keeps at most one element.
///
/// It follows strings and brackets only. What it passes on is complete: it is valid JSON if the list
/// is. An element that is too large is not passed on, so nothing checks it.
class ItemSplitter {
public:
    /// `max_element_bytes`: a longer element is not kept, only its identity.
    explicit ItemSplitter(std::size_t max_element_bytes) : max_element_bytes_(max_element_bytes) {}

    /// The text around the elements may have this many bytes.
    static constexpr std::size_t max_envelope_bytes = std::size_t{64} << 10;

    /// The result of `write`.
    enum class Outcome : std::uint8_t {
        /// The whole piece was processed.
        taken,
        /// The taker returned false.
        stopped,
        /// The text around the elements is longer than `max_envelope_bytes`.
        too_large,
    };

    /// Calls `taker.take(std::string_view element)` or `taker.take_oversized(const
    /// ObjectIdentity&)`, both of which return bool, for each element that ends in the piece. Must
    /// not be called again after `stopped` or `too_large`.
    template <typename Taker>
    Outcome write(std::string_view piece, Taker& taker) {
        // What begins here is part of the current element, or of the text around the elements.
        std::size_t begin = 0;
        for (std::size_t at = 0; at < piece.size(); ++at) {
            const char c = piece[at];
            if (is_in_string_) {
                follow_string(c);
                continue;
            }
            const bool ends_item =
                is_in_items_ && depth_ == 2 && (c == ',' || c == ']' || c == '}');
            if (ends_item) {
                if (!end_element(piece.substr(begin, at - begin), c != ',', taker))
                    return Outcome::stopped;
                begin = c == ',' ? at + 1 : at;
            }
            switch (c) {
            case '"':
                is_in_string_ = true;
                break;
            case '[':
                if (depth_ == 1 && !is_in_items_) {
                    if (!keep(piece.substr(begin, at + 1 - begin)))
                        return Outcome::too_large;
                    begin = at + 1;
                    is_in_items_ = is_after_items_key();
                    has_elements_ = false;
                }
                ++depth_;
                break;
            case '{':
                ++depth_;
                break;
            case ']':
            case '}':
                is_in_items_ = is_in_items_ && !ends_item;
                if (depth_ > 0)
                    --depth_;
                break;
            default:
                break;
            }
        }
        return keep(piece.substr(begin)) ? Outcome::taken : Outcome::too_large;
    }

    /// The text around the elements so far: the list, with `items` empty.
    const std::string& envelope() const noexcept { return envelope_; }

private:
    static constexpr std::string_view blanks = " \t\r\n";

    void follow_string(char c) {
        if (is_escaped_)
            is_escaped_ = false;
        else if (c == '\\')
            is_escaped_ = true;
        else if (c == '"')
            is_in_string_ = false;
    }

    /// Whether the text around the elements ends with `"items":[`.
    bool is_after_items_key() const {
        std::string_view text = envelope_;
        text.remove_suffix(1);
        const auto trim = [&] { text = text.substr(0, text.find_last_not_of(blanks) + 1); };
        trim();
        if (!text.ends_with(':'))
            return false;
        text.remove_suffix(1);
        trim();
        return text.ends_with(R"("items")") && !text.ends_with(R"(\"items")");
    }

    /// False if the text is too large.
    bool keep(std::string_view text) {
        if (!is_in_items_) {
            if (text.size() > max_envelope_bytes - envelope_.size())
                return false;
            envelope_ += text;
        } else if (oversized_) {
            oversized_->write(text);
        } else if (text.size() <= max_element_bytes_ - element_.size()) {
            element_ += text;
        } else {
            oversized_.emplace(TextOf::object);
            oversized_->write(element_);
            oversized_->write(text);
            element_ = {};
        }
        return true;
    }

    template <typename Taker>
    bool end_element(std::string_view rest, bool is_last, Taker& taker) {
        // An element within one piece is not copied.
        const bool is_whole = element_.empty() && !oversized_ && rest.size() <= max_element_bytes_;
        if (!is_whole)
            keep(rest);
        if (oversized_) {
            const ObjectIdentity identity = oversized_->identity();
            oversized_.reset();
            has_elements_ = true;
            return taker.take_oversized(identity);
        }
        const std::string_view element = is_whole ? rest : std::string_view(element_);
        const bool is_blank = element.find_first_not_of(blanks) == std::string_view::npos;
        // `[]` has no element. In `[1,]` and `[,1]` one is missing, which its parser will find.
        const bool wants_more = (is_blank && is_last && !has_elements_) || taker.take(element);
        has_elements_ = true;
        element_.clear();
        return wants_more;
    }

    const std::size_t max_element_bytes_;
    std::string envelope_;
    std::string element_;
    /// Reads the current element, if it is too large to be kept.
    std::optional<IdentityScanner> oversized_;
    /// Open objects and arrays.
    std::size_t depth_ = 0;
    bool is_in_string_ = false;
    bool is_escaped_ = false;
    bool is_in_items_ = false;
    /// An element of the items has ended.
    bool has_elements_ = false;
};

} // namespace wva_metrics::kubernetes::detail
