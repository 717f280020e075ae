// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace wva_metrics::detail {

/// A pod's name has at most 63 characters, and its last 5 are random. The part before them is
/// truncated to fit (k8s.io/apiserver, storage/names: `maxNameLength`, `randomLength`).
inline constexpr std::size_t max_generated_base = 58;
inline constexpr std::size_t random_suffix = 5;

/// Whether the text can be the hash between a deployment's name and a pod's random suffix.
///
/// Kubernetes writes a 32-bit hash in decimal, 1 to 10 digits, and encodes them with an alphabet
/// without vowels, which forms no words (k8s.io/apimachinery, util/rand: `SafeEncodeString`). Old
/// releases wrote the digits themselves. `may_be_cut` also accepts a prefix of such a hash, even an
/// empty one.
inline bool is_template_hash(std::string_view text, bool may_be_cut = false) noexcept {
    constexpr std::string_view alphabet = "0123456789bcdfghjklmnpqrstvwxz";
    constexpr std::size_t max_digits = 10;
    return text.size() <= max_digits && (may_be_cut || !text.empty()) &&
           text.find_first_not_of(alphabet) == std::string_view::npos;
}

/// The deployment's name: the part of a ReplicaSet's name before the hash.
inline std::optional<std::string_view> without_hash(std::string_view name,
                                                    bool may_be_cut = false) noexcept {
    // The hash contains no dash, so it starts after the last one.
    const std::size_t dash = name.rfind('-');
    if (dash == std::string_view::npos || !is_template_hash(name.substr(dash + 1), may_be_cut))
        return std::nullopt;
    return name.substr(0, dash);
}

/// The part of a name before a final dash and number; empty if the name does not end so.
///
/// The pods of a StatefulSet are named `<name>-<ordinal>`, those of a LeaderWorkerSet
/// `<name>-<group>[-<worker>]`. The numbers have no leading zeros.
inline std::optional<std::string_view> without_number(std::string_view name) noexcept {
    constexpr std::size_t max_digits = 10; // Of an int32.
    const std::size_t dash = name.rfind('-');
    if (dash == std::string_view::npos || dash == 0)
        return std::nullopt;
    const std::string_view number = name.substr(dash + 1);
    if (number.empty() || number.size() > max_digits || (number.size() > 1 && number[0] == '0') ||
        number.find_first_not_of("0123456789") != std::string_view::npos)
        return std::nullopt;
    return name.substr(0, dash);
}

/// The possible names of the deployment whose pod has this name. A member is empty if the pod's
/// name does not have that form.
struct PodName {
    explicit PodName(std::string_view pod) noexcept {
        if (pod.size() <= random_suffix)
            return;
        const std::string_view base = pod.substr(0, pod.size() - random_suffix);
        constexpr std::string_view alphabet = "0123456789abcdefghijklmnopqrstuvwxyz";
        if (pod.find_first_not_of(alphabet, base.size()) != std::string_view::npos)
            return;
        if (base.back() == '-')
            before_hash = without_hash(base.substr(0, base.size() - 1)).value_or("");
        if (base.size() == max_generated_base) {
            cut_deployment = base;
            before_cut_hash = without_hash(base, true).value_or("");
        }
    }

    /// `<this>-<hash>-<suffix>`.
    std::string_view before_hash;
    /// `<this>-<prefix of the hash><suffix>`, of maximum length.
    std::string_view before_cut_hash;
    /// `<this><suffix>`, of maximum length: a prefix of the deployment's name.
    std::string_view cut_deployment;
};

} // namespace wva_metrics::detail
