// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/attribution/any_pod_owners.hpp"

#include <catch2/catch_all.hpp>

#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

using namespace wva_metrics;

namespace {

struct OnlyOwners {
    std::string name = "llama";

    std::optional<PodOwner> find(std::string_view namespace_name, std::string_view pod) const {
        return PodOwner{"Deployment",
                        std::string(namespace_name) + "/" + std::string(pod) + "/" + name};
    }
};

struct OwnersAndStates : OnlyOwners {
    PodState state_of(std::string_view, std::string_view pod) const {
        return pod == "p-0" ? PodState::ready : PodState::gone;
    }
};

struct Throwing {
    std::optional<PodOwner> find(std::string_view, std::string_view) const {
        throw std::runtime_error("no");
    }
    PodState state_of(std::string_view, std::string_view) const { throw std::runtime_error("no"); }
};

} // namespace

TEST_CASE("without owners every pod is unknown") {
    const AnyPodOwners none;
    CHECK_FALSE(none);
    CHECK_FALSE(none.find("llm", "p-0").has_value());
    CHECK(none.state_of("llm", "p-0") == PodState::unknown);
    CHECK_FALSE(AnyPodOwners(std::shared_ptr<const OnlyOwners>()));
}

TEST_CASE("owners and states are those of the held object") {
    const AnyPodOwners owners = OnlyOwners();
    CHECK(owners);
    CHECK(owners.find("llm", "p-0").value().name == "llm/p-0/llama");
    CHECK(owners.state_of("llm", "p-0") == PodState::unknown);

    const AnyPodOwners states = OwnersAndStates();
    CHECK(states.find("llm", "p-0").value().name == "llm/p-0/llama");
    CHECK(states.state_of("llm", "p-0") == PodState::ready);
    CHECK(states.state_of("llm", "p-1") == PodState::gone);
}

TEST_CASE("copies share the owners, and see their changes") {
    const auto shared = std::make_shared<OnlyOwners>();
    const AnyPodOwners owners = shared;
    const AnyPodOwners copy = owners;
    shared->name = "qwen";
    CHECK(owners.find("llm", "p-0").value().name == "llm/p-0/qwen");
    CHECK(copy.find("llm", "p-0").value().name == "llm/p-0/qwen");
    CHECK(shared.use_count() == 3);
}

TEST_CASE("if the owners throw, the pod is unknown") {
    const AnyPodOwners owners = Throwing();
    CHECK_FALSE(owners.find("llm", "p-0").has_value());
    CHECK(owners.state_of("llm", "p-0") == PodState::unknown);
}
