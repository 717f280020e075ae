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

struct OwnersAndLives : OnlyOwners {
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

TEST_CASE("owners that are not there know nothing") {
    const AnyPodOwners nobody;
    CHECK_FALSE(nobody);
    CHECK_FALSE(nobody.find("llm", "p-0").has_value());
    CHECK(nobody.state_of("llm", "p-0") == PodState::unknown);
    CHECK_FALSE(AnyPodOwners(std::shared_ptr<const OnlyOwners>()));
}

TEST_CASE("any owners answer as what they hold does") {
    const AnyPodOwners owners = OnlyOwners();
    CHECK(owners);
    CHECK(owners.find("llm", "p-0").value().name == "llm/p-0/llama");
    CHECK(owners.state_of("llm", "p-0") == PodState::unknown);

    const AnyPodOwners lives = OwnersAndLives();
    CHECK(lives.find("llm", "p-0").value().name == "llm/p-0/llama");
    CHECK(lives.state_of("llm", "p-0") == PodState::ready);
    CHECK(lives.state_of("llm", "p-1") == PodState::gone);
}

TEST_CASE("copies share owners, and those that are taught more say so") {
    const auto taught = std::make_shared<OnlyOwners>();
    const AnyPodOwners owners = taught;
    const AnyPodOwners copy = owners;
    taught->name = "qwen";
    CHECK(owners.find("llm", "p-0").value().name == "llm/p-0/qwen");
    CHECK(copy.find("llm", "p-0").value().name == "llm/p-0/qwen");
    CHECK(taught.use_count() == 2);
}

TEST_CASE("owners that throw count as not knowing") {
    const AnyPodOwners owners = Throwing();
    CHECK_FALSE(owners.find("llm", "p-0").has_value());
    CHECK(owners.state_of("llm", "p-0") == PodState::unknown);
}
