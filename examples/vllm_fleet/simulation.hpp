// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "accelerators.hpp"
#include "engine.hpp"
#include "misbehaviour.hpp"
#include "names.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numbers>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace vllm_fleet {

struct Dialect; // See dialects/dialect.hpp.

struct Pod {
    std::string name;
    std::string uid;
    std::string ip;
    std::string node;
    std::string host_ip;
    bool alive = true;   ///< False: deleted, but its last series still exist.
    double ready_at = 0; ///< Virtual time from which it serves requests and has metrics.
    const Dialect* dialect = nullptr; ///< What kind of server it is; null: vLLM.
    std::size_t pid = 0;              ///< Of its first process.
    Fault fault = Fault::none;
    NameFilter name_filter = NameFilter::ignores;
    std::vector<Engine> engines;

    bool has_started(double now) const { return now >= ready_at; }
};

struct Deployment {
    std::string name;
    Accelerator accelerator;
    std::string replica_set;
    const Dialect* dialect = nullptr; ///< Of its pods; null: vLLM.
    bool deleted = false;
    std::vector<Pod> pods;

    std::size_t replicas() const {
        return static_cast<std::size_t>(std::ranges::count_if(pods, &Pod::alive));
    }
    std::size_t serving(double now) const {
        return static_cast<std::size_t>(std::ranges::count_if(
            pods, [&](const Pod& pod) { return pod.alive && pod.has_started(now); }));
    }
};

/// One model in one namespace, with the demand for it.
struct Model {
    std::string id;
    std::string namespace_name;
    EngineProfile profile; ///< Of one engine on the first accelerator.
    std::vector<Deployment> deployments;

    double mean_requests_per_second = 0; ///< Over a whole wave.
    double phase = 0;                    ///< Start of its wave, as a fraction of a period.
    double wave = 0.6;                   ///< Amplitude of the demand, as a fraction of the mean.
    double load_factor = 1;
    Rng rng;

    double requests_per_second(double now, double period_seconds) const {
        const double angle = 2 * std::numbers::pi * (now / period_seconds + phase);
        return load_factor * mean_requests_per_second * (1.0 + wave * std::sin(angle));
    }
};

struct FleetOptions {
    std::vector<std::string> model_ids;
    std::vector<std::string> namespaces{"llm"};
    bool same_model_everywhere = false; ///< False: the models are spread over the namespaces.
    std::size_t pods = 2;               ///< Per deployment.
    std::size_t variants = 1;           ///< Deployments per model, each on another accelerator.
    std::size_t engines = 1;            ///< Per pod (data parallel).
    std::uint64_t seed = 1;
    double period_seconds = 600; ///< Of the wave in which demand rises and falls.
    double wave = 0.6;           ///< Its amplitude, as a fraction of the mean; 0: steady.
    double start_seconds = 0;    ///< From a pod's creation by `scale` until it serves.
    std::vector<const Dialect*> dialects{}; ///< Of the deployments in turn; empty: vLLM.
};

/// The whole fleet. It has no clock: the same options and calls give the same history.
class Fleet {
public:
    explicit Fleet(const FleetOptions& options) : options_(options), rng_(options.seed) {
        for (std::size_t i = 0; i < options.model_ids.size(); ++i) {
            const std::string& id = options.model_ids[i];
            const std::string deployment = unique_slug(id);
            if (options.same_model_everywhere)
                for (const std::string& name : options.namespaces)
                    add_model(id, name, deployment);
            else
                add_model(id, options.namespaces[i % options.namespaces.size()], deployment);
        }
    }

    /// Simulates the next quarter of a second of virtual time. An engine admits waiting requests
    /// only at the start of a step.
    void step_quarter_second() {
        constexpr double quarter = 0.25;
        for (Model& model : models_)
            step_model(model, quarter);
        now_ += quarter;
    }
    /// Simulates the next second.
    void step_one_second() {
        for (int i = 0; i < 4; ++i)
            step_quarter_second();
    }

    const std::vector<Model>& models() const { return models_; }
    std::vector<Model>& models() { return models_; }
    const FleetOptions& options() const { return options_; }
    double now_seconds() const { return now_; }

    struct FoundPod {
        const Model* model = nullptr;
        const Pod* pod = nullptr; ///< Null: no such pod.
    };

    FoundPod find_pod(std::string_view name) const {
        for (const Model& model : models_)
            for (const Deployment& deployment : model.deployments)
                for (const Pod& pod : deployment.pods)
                    if (pod.name == name)
                        return {&model, &pod};
        return {};
    }

    /// Ends a pod. With `keep_series` its last series stay in the fleet unchanged, as they do in
    /// Prometheus. Returns false if no running pod has this name.
    bool kill_pod(std::string_view name, bool keep_series) {
        for (Model& model : models_)
            for (Deployment& deployment : model.deployments)
                for (Pod& pod : deployment.pods)
                    if (pod.alive && pod.name == name) {
                        pod.alive = false;
                        if (!keep_series)
                            std::erase_if(deployment.pods,
                                          [&](const Pod& each) { return each.name == name; });
                        return true;
                    }
        return false;
    }

    /// The same pod with new processes: nothing waits or runs, and all counters are 0.
    void restart_pod(Pod& pod) {
        for (Engine& engine : pod.engines)
            engine = Engine(engine.profile());
        pod.pid += 1000;
        pod.ready_at = now_ + options_.start_seconds;
    }

    template <class Function>
    void for_each_pod(Function function) {
        for (Model& model : models_)
            for (Deployment& deployment : model.deployments)
                std::ranges::for_each(deployment.pods, function);
    }

    /// Deletes a deployment, its ReplicaSet and all its pods.
    static void kill_deployment(Deployment& deployment, bool keep_series) {
        deployment.deleted = true;
        for (Pod& pod : deployment.pods)
            pod.alive = false;
        if (!keep_series)
            deployment.pods.clear();
    }

    /// Starts or ends pods until the deployment has this many; the newest pods are ended first.
    /// Restores a deleted deployment.
    void scale(Model& model, Deployment& deployment, std::size_t replicas) {
        deployment.deleted = false;
        while (deployment.replicas() < replicas)
            add_pod(model, deployment, now_ + options_.start_seconds);
        while (deployment.replicas() > replicas) {
            const auto newest =
                std::ranges::find_if(deployment.pods.rbegin(), deployment.pods.rend(), &Pod::alive);
            deployment.pods.erase(std::next(newest).base());
        }
    }

private:
    void step_model(Model& model, double seconds) {
        double speed = 0;
        for (const Deployment& deployment : model.deployments)
            speed += deployment.accelerator.speed * static_cast<double>(deployment.serving(now_));
        if (speed <= 0)
            return;
        // The load balancer weights each engine by the speed of its accelerator.
        const double rate = model.requests_per_second(now_, options_.period_seconds) / speed /
                            static_cast<double>(options_.engines);
        for (Deployment& deployment : model.deployments)
            for (Pod& pod : deployment.pods)
                if (pod.alive && pod.has_started(now_))
                    for (Engine& engine : pod.engines)
                        engine.step(now_, seconds, rate * deployment.accelerator.speed, model.rng);
    }

    void add_model(const std::string& id, const std::string& namespace_name,
                   const std::string& deployment_name) {
        Model model;
        model.id = id;
        model.namespace_name = namespace_name;
        model.rng.seed(rng_());

        const auto between = [&](double low, double high) {
            return std::uniform_real_distribution<double>(low, high)(rng_);
        };
        model.profile.mean_prompt_tokens = between(200, 900);
        model.profile.mean_output_tokens = between(60, 240);
        model.profile.base_itl_seconds = between(0.008, 0.03);
        model.profile.prefix_hit_ratio = between(0.1, 0.7);
        model.phase = between(0, 1);
        model.wave = options_.wave;

        double speed = 0;
        for (std::size_t i = 0; i < options_.variants; ++i) {
            Deployment deployment;
            deployment.accelerator = accelerators[i];
            deployment.name = deployment_name + '-' + std::string(deployment.accelerator.suffix);
            deployment.replica_set = deployment.name + '-' + replica_set_hash(rng_);
            if (!options_.dialects.empty())
                deployment.dialect = options_.dialects[deployments_++ % options_.dialects.size()];
            for (std::size_t pod = 0; pod < options_.pods; ++pod)
                add_pod(model, deployment, 0);
            model.deployments.push_back(std::move(deployment));
            speed += accelerators[i].speed * static_cast<double>(options_.pods * options_.engines);
        }
        // With the default wave the peak is 1.6 times the mean: slightly above the capacity.
        model.mean_requests_per_second = 0.65 * speed * model.profile.requests_per_second();
        models_.push_back(std::move(model));
    }

    void add_pod(const Model& model, Deployment& deployment, double ready_at) {
        Pod pod;
        pod.ready_at = ready_at;
        pod.dialect = deployment.dialect;
        do
            pod.name = deployment.replica_set + '-' + pod_suffix(rng_);
        while (!pod_names_.insert(pod.name).second);
        pod.uid = uuid(rng_);

        const std::size_t number = pods_started_++;
        pod.pid = 1000 + number * 10;
        pod.ip =
            "10.244." + std::to_string(number / 250 % 250) + '.' + std::to_string(number % 250 + 2);
        const std::size_t node = number / 8; // Eight pods per node.
        pod.node = "gpu-node-" + std::to_string(node);
        pod.host_ip =
            "172.16." + std::to_string(node / 250 % 250) + '.' + std::to_string(node % 250 + 2);

        EngineProfile profile = model.profile;
        profile.base_itl_seconds /= deployment.accelerator.speed;
        profile.prefill_tokens_per_second *= deployment.accelerator.speed;
        for (std::size_t i = 0; i < options_.engines; ++i)
            pod.engines.emplace_back(profile);
        deployment.pods.push_back(std::move(pod));
    }

    std::string unique_slug(const std::string& id) {
        const std::string base = slug(id);
        std::string result = base;
        for (int i = 2; !slugs_.insert(result).second; ++i)
            result = base + '-' + std::to_string(i);
        return result;
    }

    FleetOptions options_;
    Rng rng_;
    double now_ = 0;
    std::vector<Model> models_;
    std::set<std::string> slugs_;
    std::set<std::string> pod_names_;
    std::size_t pods_started_ = 0;
    std::size_t deployments_ = 0;
};

} // namespace vllm_fleet
