// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/backend/detail/kube_pods.hpp"

#include "kube_answer.hpp"

#include <catch2/catch_all.hpp>

#include <algorithm>
#include <cstddef>
#include <limits>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

// Random clusters, whose pods and instances of kube-state-metrics start and end at known times.

using namespace wva_metrics;
using namespace wva_metrics::test_support;
using wva_metrics::detail::KubePods;

namespace {

/// From when to when something exists, as ages; without an end it still does.
struct Lifetime {
    samples::ServerDuration from{};
    std::optional<samples::ServerDuration> to{};

    bool contains(samples::ServerDuration age) const { return age <= from && (!to || age > *to); }
};

struct RandomInstance {
    std::string address;
    Lifetime life;
};

/// A shard reports a part of the pods. Its instances follow each other.
struct RandomShard {
    samples::ServerDuration spacing{};
    samples::ServerDuration newest_scrape{}; ///< Its age, if it does not fail.
    std::vector<RandomInstance> instances;

    bool reported_within(samples::ServerDuration age) const {
        return std::ranges::any_of(instances, [age](const RandomInstance& instance) {
            return !instance.life.to || *instance.life.to < age;
        });
    }
    const RandomInstance* at(samples::ServerDuration age) const {
        for (const RandomInstance& instance : instances)
            if (instance.life.contains(age))
                return &instance;
        return nullptr;
    }
};

struct RandomPod {
    std::string namespace_name;
    std::string name;
    std::string uid;
    std::size_t shard = 0;
    Lifetime life;
};

class RandomCluster {
public:
    explicit RandomCluster(unsigned seed) : random_(seed), marks_ends_(flip()) {
        for (std::size_t i = 0, count = number(1, 3); i < count; ++i)
            add_shard();
        for (std::size_t i = 0, count = number(1, 20); i < count; ++i)
            add_pod("pod-" + std::to_string(i));
    }

    KubeJudgement judgement() const { return {.nan_ends_series = marks_ends_}; }

    std::vector<KubeSeries> answer() const {
        std::vector<KubeSeries> result;
        for (const RandomPod& pod : pods)
            for (const RandomInstance& instance : shards[pod.shard].instances)
                for (const KubeSeries& series : series_of(pod, instance))
                    if (!series.samples.empty())
                        result.push_back(series);
        return result;
    }

    std::vector<KubeSeries> shuffled(std::vector<KubeSeries> answer) {
        std::shuffle(answer.begin(), answer.end(), random_);
        return answer;
    }

    /// The pod's newest series, by name.
    std::vector<RandomPod> newest_pods() const {
        std::map<std::string, RandomPod> result;
        for (const RandomPod& pod : pods)
            result[pod.name] = pod; // A successor comes later.
        std::vector<RandomPod> all;
        for (auto& [name, pod] : result)
            all.push_back(std::move(pod));
        return all;
    }

    /// The shard's scrapes succeeded for so long that it must be known which pods are gone.
    bool is_steady(std::size_t shard) const {
        const RandomInstance* instance = shards[shard].at(0s);
        return instance != nullptr && instance->life.from >= 10min;
    }

    /// Some other pod of the shard is alive, and has been for long.
    bool has_neighbour(const RandomPod& pod) const {
        return std::ranges::any_of(pods, [&pod](const RandomPod& other) {
            return other.shard == pod.shard && other.uid != pod.uid && !other.life.to &&
                   other.life.from >= 5min;
        });
    }

    std::vector<RandomShard> shards;
    std::vector<RandomPod> pods;

private:
    std::size_t number(std::size_t least, std::size_t most) {
        return std::uniform_int_distribution<std::size_t>(least, most)(random_);
    }
    bool flip() { return number(0, 1) == 1; }
    samples::ServerDuration age(samples::ServerDuration most) {
        return samples::ServerDuration(number(0, static_cast<std::size_t>(most.count())));
    }

    void add_shard() {
        RandomShard shard;
        shard.spacing = std::vector<samples::ServerDuration>{5s, 15s, 30s, 60s}[number(0, 3)];
        shard.newest_scrape = age(shard.spacing - 1ms);
        const std::string host = "10.0.0." + std::to_string(shards.size());
        RandomInstance first{host + ":1", {.from = 1h}};
        if (flip())
            first.life.to = age(9min);
        if (first.life.to && flip())
            shard.instances.push_back({host + ":2", {.from = age(*first.life.to)}});
        shard.instances.push_back(first);
        shards.push_back(shard);
    }

    void add_pod(const std::string& name) {
        RandomPod pod{flip() ? "llm" : "other",
                      name,
                      name,
                      number(0, shards.size() - 1),
                      {.from = flip() ? 1h : age(12min)}};
        if (flip())
            pod.life.to = age(pod.life.from);
        pods.push_back(pod);
        if (!pod.life.to || flip())
            return;
        pod.uid += "-successor"; // Maybe of another shard.
        pod.shard = number(0, shards.size() - 1);
        pod.life = {.from = age(*pod.life.to)};
        pods.push_back(pod);
    }

    std::vector<KubeSeries> series_of(const RandomPod& pod, const RandomInstance& instance) const {
        const RandomShard& shard = shards[pod.shard];
        KubeSeries series = kube_series("kube_pod_info", pod.name, {.oldest = 0s, .newest = 1s})
                                .from(instance.address)
                                .with("namespace", pod.namespace_name)
                                .with("uid", pod.uid);
        bool was_there = false;
        for (samples::ServerDuration when = oldest_scrape(shard); when >= 0s;
             when -= shard.spacing) {
            const bool is_there = pod.life.contains(when) && instance.life.contains(when);
            if (is_there)
                series.samples.push_back({kube_now - when, 1});
            else if (was_there && marks_ends_)
                series.samples.push_back(
                    {kube_now - when, std::numeric_limits<double>::quiet_NaN()});
            was_there = is_there;
        }
        KubeSeries owner = series.with("__name__", "kube_pod_owner")
                               .with("owner_kind", "ReplicaSet")
                               .with("owner_name", "owner of " + pod.uid);
        return {series, owner};
    }

    /// The first scrape in the window.
    static samples::ServerDuration oldest_scrape(const RandomShard& shard) {
        samples::ServerDuration result = shard.newest_scrape;
        while (result + shard.spacing < 10min)
            result += shard.spacing;
        return result;
    }

    std::mt19937 random_;
    bool marks_ends_;
};

bool was_reported_by(const RandomShard& shard, const RandomPod& pod) {
    for (samples::ServerDuration when = shard.newest_scrape; when < 10min; when += shard.spacing)
        if (pod.life.contains(when) && shard.at(when) != nullptr)
            return true;
    return false;
}

} // namespace

TEST_CASE("what is known of pods agrees with what random clusters do") {
    const unsigned seed = GENERATE(range(0U, 3000U));
    CAPTURE(seed);
    const RandomCluster cluster(seed);
    const KubePods pods = judge(cluster.answer(), cluster.judgement());
    for (const RandomPod& pod : cluster.newest_pods()) {
        const RandomShard& shard = cluster.shards[pod.shard];
        const std::string_view fate = fate_of(pods, pod.name, pod.namespace_name);
        CAPTURE(pod.name, fate);
        CHECK(fate != "both");
        const bool in_newest_scrape =
            shard.at(shard.newest_scrape) != nullptr && pod.life.contains(shard.newest_scrape);
        if (in_newest_scrape)
            CHECK((fate == "exists"));
        // No pod is gone that was reported until its instance went down.
        if (!pod.life.to && was_reported_by(shard, pod))
            CHECK(fate != "gone");
        // The other instances' newest sample may be a minute old.
        const bool has_successor = pod.uid != pod.name;
        if (!has_successor && !shard.reported_within(61s + 3 * shard.spacing))
            CHECK((fate != "exists" && fate != "missed"));
        if (cluster.is_steady(pod.shard) && cluster.has_neighbour(pod) && pod.life.to &&
            was_reported_by(shard, pod) && *pod.life.to > shard.newest_scrape + 3 * shard.spacing)
            CHECK(fate == "gone");
    }
}

TEST_CASE("neither order nor repetition of series changes what is known of pods") {
    const unsigned seed = GENERATE(range(10'000U, 10'300U));
    CAPTURE(seed);
    RandomCluster cluster(seed);
    std::vector<KubeSeries> answer = cluster.answer();
    const KubePods expected = judge(answer, cluster.judgement());
    const KubePods shuffled = judge(cluster.shuffled(answer), cluster.judgement());
    answer.insert(answer.end(), answer.begin(), answer.end());
    const KubePods repeated = judge(cluster.shuffled(answer), cluster.judgement());
    CHECK(shuffled.is_reporting() == expected.is_reporting());
    CHECK(repeated.is_reporting() == expected.is_reporting());
    for (const RandomPod& pod : cluster.pods) {
        const auto* known = expected.find(pod.namespace_name, pod.name);
        for (const KubePods* other : {&shuffled, &repeated}) {
            const auto* found = other->find(pod.namespace_name, pod.name);
            REQUIRE((known == nullptr) == (found == nullptr));
            if (known != nullptr)
                CHECK(*known == *found);
        }
    }
}
