// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/attribution/pod_owners.hpp"

#include <concepts>
#include <memory>
#include <optional>
#include <string_view>
#include <type_traits>
#include <utility>

namespace wva_metrics {

/// Any `PodOwners` behind one type, to be put into a configuration. Knows of the pods' lives where
/// what it holds does (`PodStates`).
///
/// Cheap to copy: copies share what they hold. What that throws counts as not knowing, so that a
/// resolver of the user's own spoils no metrics.
///
/// Thread safety: any number of threads may ask one object at once, as `PodOwners` demands.
class AnyPodOwners {
public:
    /// Knows nothing.
    AnyPodOwners() = default;

    /// Holds these owners.
    template <PodOwners Owners>
        requires(!std::same_as<Owners, AnyPodOwners>)
    AnyPodOwners(Owners owners) : AnyPodOwners(std::make_shared<const Owners>(std::move(owners))) {}

    /// Shares these owners with others, who may teach them more meanwhile. Null knows nothing.
    template <PodOwners Owners>
    AnyPodOwners(std::shared_ptr<const Owners> owners) {
        if (owners)
            held_ = std::make_shared<const Held<Owners>>(std::move(owners));
    }
    /// As above.
    template <PodOwners Owners>
        requires(!std::is_const_v<Owners>)
    AnyPodOwners(std::shared_ptr<Owners> owners)
        : AnyPodOwners(std::shared_ptr<const Owners>(std::move(owners))) {}

    /// Whether there is anybody to ask.
    explicit operator bool() const noexcept { return held_ != nullptr; }

    /// Whose pod it is; nothing where nobody knows.
    std::optional<PodOwner> find(std::string_view namespace_name,
                                 std::string_view pod) const noexcept {
        try {
            return held_ ? held_->find(namespace_name, pod) : std::nullopt;
        } catch (...) {
            return std::nullopt;
        }
    }

    /// What is known of its life; `unknown` where nobody knows.
    PodState state_of(std::string_view namespace_name, std::string_view pod) const noexcept {
        try {
            return held_ ? held_->state_of(namespace_name, pod) : PodState::unknown;
        } catch (...) {
            return PodState::unknown;
        }
    }

private:
    struct Interface {
        Interface() = default;
        Interface(const Interface&) = delete;
        Interface& operator=(const Interface&) = delete;
        virtual ~Interface() = default;
        virtual std::optional<PodOwner> find(std::string_view namespace_name,
                                             std::string_view pod) const = 0;
        virtual PodState state_of(std::string_view namespace_name, std::string_view pod) const = 0;
    };

    template <typename Owners>
    struct Held final : Interface {
        explicit Held(std::shared_ptr<const Owners> held) : owners(std::move(held)) {}

        std::optional<PodOwner> find(std::string_view namespace_name,
                                     std::string_view pod) const override {
            return owners->find(namespace_name, pod);
        }
        PodState state_of([[maybe_unused]] std::string_view namespace_name,
                          [[maybe_unused]] std::string_view pod) const override {
            if constexpr (PodStates<Owners>)
                return owners->state_of(namespace_name, pod);
            else
                return PodState::unknown;
        }

        std::shared_ptr<const Owners> owners;
    };

    std::shared_ptr<const Interface> held_;
};

static_assert(PodOwners<AnyPodOwners> && PodStates<AnyPodOwners>);

} // namespace wva_metrics
