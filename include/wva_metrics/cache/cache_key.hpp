// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/cache/detail/short_text.hpp"
#include "wva_metrics/workload.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace wva_metrics {

/// The kind of answer that an entry holds. A key begins with its name, see `to_string`.
enum class EntryKind : std::uint8_t {
    /// Optimizer metrics of one variant: `allocation:<namespace>/<variant>`. This key text is that
    /// of the original system's documentation, kept so that keys and traces stay comparable.
    optimizer,
    /// Replica samples of one model: `replica:<namespace>/<model>`.
    replica,
    /// Whether a model's metrics exist: `availability:<namespace>/<model>`.
    availability,
};

/// The word that a key of this kind begins with.
constexpr std::string_view to_string(EntryKind kind) noexcept {
    switch (kind) {
    case EntryKind::optimizer:
        return "allocation";
    case EntryKind::replica:
        return "replica";
    case EntryKind::availability:
        return "availability";
    }
    return "unknown";
}

/// A key as a view of its parts, so that a look-up allocates nothing.
///
/// The text form is `<kind>:<namespace>/<name>`. A `/` or `%` inside the namespace is written `%2F`
/// or `%25`; the name is not escaped, because nothing follows it. So different parts never give the
/// same text, and a model id such as `meta-llama/Llama-3` stays readable.
///
/// **Lifetime:** it refers to the texts that it was made of. One of a temporary, as in
/// `cache.erase(replica_key(variant.model()))`, is valid until the end of that expression; to keep
/// it, make a `CacheKey`.
struct CacheKeyView {
    /// The kind of answer that the entry holds.
    EntryKind kind;
    /// The Kubernetes namespace.
    std::string_view namespace_name;
    /// The variant's name or the model's id.
    std::string_view name;

    friend bool operator==(const CacheKeyView& a, const CacheKeyView& b) noexcept {
        return a.kind == b.kind && detail::equal_text(a.name, b.name) &&
               detail::equal_text(a.namespace_name, b.namespace_name);
    }
};

/// The key of a variant's optimizer metrics; it refers to its arguments.
inline CacheKeyView optimizer_key(std::string_view namespace_name,
                                  std::string_view variant) noexcept {
    return {EntryKind::optimizer, namespace_name, variant};
}
/// The key of a variant's optimizer metrics; it refers to its argument.
inline CacheKeyView optimizer_key(const VariantKey& key) noexcept {
    return optimizer_key(key.namespace_name, key.name);
}
/// The key of a model's replica samples; it refers to its argument.
inline CacheKeyView replica_key(const ModelKey& model) noexcept {
    return {EntryKind::replica, model.namespace_name, model.model_id};
}
/// The key of a model's availability; it refers to its argument.
inline CacheKeyView availability_key(const ModelKey& model) noexcept {
    return {EntryKind::availability, model.namespace_name, model.model_id};
}

/// The prefix of all keys of one kind in one namespace, `allocation:<namespace>/`.
inline std::string key_prefix(EntryKind kind, std::string_view namespace_name) {
    std::string text(to_string(kind));
    text += ':';
    for (const char c : namespace_name) {
        if (c == '/')
            text += "%2F";
        else if (c == '%')
            text += "%25";
        else
            text += c;
    }
    text += '/';
    return text;
}

/// The text form, `<kind>:<namespace>/<name>`.
inline std::string to_string(const CacheKeyView& key) {
    std::string text = key_prefix(key.kind, key.namespace_name);
    text += key.name;
    return text;
}

/// A key that owns its parts.
class CacheKey {
public:
    /// Copies the parts.
    explicit CacheKey(const CacheKeyView& view)
        : kind_(view.kind), namespace_name_(view.namespace_name), name_(view.name) {}

    /// A view of its parts; valid as long as the key.
    operator CacheKeyView() const noexcept { return {kind_, namespace_name_, name_}; }
    /// The kind of answer that the entry holds.
    EntryKind kind() const noexcept { return kind_; }

    friend bool operator==(const CacheKey&, const CacheKey&) = default;

private:
    EntryKind kind_;
    std::string namespace_name_;
    std::string name_;
};

/// Hash for unordered containers of `CacheKey` that are searched by `CacheKeyView`.
struct CacheKeyHash {
    /// Allows look-ups by view.
    using is_transparent = void;
    /// All bits are well mixed, so a table may use only some of them.
    std::size_t operator()(const CacheKeyView& key) const noexcept {
        // A seed must have no pattern. An odd factor gives each kind another seed.
        constexpr std::uint64_t seed_factor = 0xe7037ed1a0b428dbU;
        const std::uint64_t seed = seed_factor * (static_cast<std::uint64_t>(key.kind) + 1);
        return static_cast<std::size_t>(
            detail::hash_text(detail::hash_text(seed, key.namespace_name), key.name));
    }
};

/// Equality for unordered containers of `CacheKey` that are searched by `CacheKeyView`.
struct CacheKeyEqual {
    /// Allows look-ups by view.
    using is_transparent = void;
    /// True if all parts are equal.
    bool operator()(const CacheKeyView& a, const CacheKeyView& b) const noexcept { return a == b; }
};

} // namespace wva_metrics
