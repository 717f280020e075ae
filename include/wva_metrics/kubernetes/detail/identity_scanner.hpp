// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/detail/clean_text.hpp"
#include "wva_metrics/kubernetes/unreadable_object.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace wva_metrics::kubernetes::detail {

/// Which object a JSON text describes, as far as the text says.
struct ObjectIdentity {
    /// The `type` of a watch event.
    std::string event_type;
    std::string kind;
    std::string namespace_name;
    std::string name;
    std::string resource_version;
};

/// How much of an object is read beyond the limit of its size, to find out its name.
inline constexpr std::size_t max_skipped_bytes = std::size_t{32} << 20;

/// What a JSON text is.
enum class TextOf : std::uint8_t { object, watch_event };

/// Finds out which object a text describes that cannot be parsed, because it is too long or nests
/// too deep. The text arrives in pieces and may end anywhere; little of it is kept.
///
/// It follows strings and brackets only, so it needs no stack. What it finds in a text that is not
/// JSON means nothing.
class IdentityScanner {
public:
    explicit IdentityScanner(TextOf text) : outer_levels_(text == TextOf::watch_event ? 1 : 0) {}

    void write(std::string_view piece) {
        for (const char c : piece) {
            if (is_in_string_)
                read_in_string(c);
            else
                read(c);
        }
    }

    const ObjectIdentity& identity() const noexcept { return identity_; }

private:
    /// An object or array around the current place.
    struct Level {
        bool is_object = false;
        bool expects_key = false;
        std::string key;
    };

    static constexpr std::size_t max_levels = 3;
    /// No name in Kubernetes is longer than 253 bytes.
    static constexpr std::size_t max_text_bytes = 300;

    /// The level of the current place; null if it is too deep to matter, or outside of everything.
    Level* level() {
        return depth_ == 0 || depth_ > outer_levels_ + 2 ? nullptr : &levels_[depth_ - 1];
    }

    void read_in_string(char c) {
        if (is_escaped_) {
            is_escaped_ = false;
        } else if (c == '\\') {
            is_escaped_ = true;
        } else if (c == '"') {
            is_in_string_ = false;
            end_string();
            return;
        }
        if (level() != nullptr && text_.size() < max_text_bytes)
            text_ += c;
    }

    void read(char c) {
        switch (c) {
        case '"':
            is_in_string_ = true;
            text_.clear();
            break;
        case '{':
        case '[':
            ++depth_;
            if (Level* const inner = level())
                *inner = {c == '{', c == '{', {}};
            break;
        case '}':
        case ']':
            if (depth_ > 0)
                --depth_;
            break;
        case ':':
            if (Level* const at = level())
                at->expects_key = false;
            break;
        case ',':
            if (Level* const at = level())
                at->expects_key = at->is_object;
            break;
        default:
            break;
        }
    }

    void end_string() {
        Level* const at = level();
        if (at == nullptr)
            return;
        if (at->expects_key)
            at->key = text_;
        else if (std::string* const found = place_of_value())
            *found = text_;
    }

    /// What the string at the current place is; null if it does not matter.
    std::string* place_of_value() {
        const std::string& key = levels_[depth_ - 1].key;
        if (outer_levels_ > 0 && depth_ == 1)
            return key == "type" ? &identity_.event_type : nullptr;
        if (outer_levels_ > 0 && levels_[0].key != "object")
            return nullptr;
        if (depth_ == outer_levels_ + 1)
            return key == "kind" ? &identity_.kind : nullptr;
        if (levels_[outer_levels_].key != "metadata")
            return nullptr;
        return key == "namespace"         ? &identity_.namespace_name
               : key == "name"            ? &identity_.name
               : key == "resourceVersion" ? &identity_.resource_version
                                          : nullptr;
    }

    const std::size_t outer_levels_;
    std::array<Level, max_levels> levels_;
    std::size_t depth_ = 0;
    bool is_in_string_ = false;
    bool is_escaped_ = false;
    std::string text_;
    ObjectIdentity identity_;
};

/// Which object a whole text describes.
inline ObjectIdentity identify(std::string_view text, TextOf what) {
    IdentityScanner scanner(what);
    scanner.write(text);
    return scanner.identity();
}

/// An object that is left out, e.g. `Pod llm/llama-0 cannot be read: <why>`.
inline UnreadableObject unreadable(const ObjectIdentity& identity, std::string_view why) {
    constexpr std::size_t shown_bytes = 200;
    std::string who = "an object";
    if (!identity.name.empty()) {
        who = identity.namespace_name.empty() ? identity.name
                                              : identity.namespace_name + '/' + identity.name;
        if (!identity.kind.empty())
            who = identity.kind + ' ' + who;
        who = wva_metrics::detail::clean_text(who, shown_bytes);
    }
    return {identity.namespace_name, identity.name,
            who + " cannot be read: " + wva_metrics::detail::clean_text(why, shown_bytes)};
}

} // namespace wva_metrics::kubernetes::detail
