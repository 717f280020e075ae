// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/backend/detail/chunk_samples.hpp"

#include "wva_metrics/engine/known_engines.hpp"
#include "wva_metrics/promql/kube_state_query.hpp"
#include "wva_metrics/promql/raw_query.hpp"

#include <catch2/catch_all.hpp>

#include <chrono>
#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

using namespace wva_metrics;
using namespace wva_metrics::detail;
using namespace std::chrono_literals;

namespace {

const samples::ServerTime chunk_now{1'700'000'000s};
const samples::MetricSet chunk_metrics(vllm_profile());
const samples::SampleRules chunk_rules;
const EngineLabels chunk_labels;

using Tags = std::vector<std::pair<std::string, std::string>>;

const std::vector<ModelKey> chunk_models = {{"a", "m"}, {"b", "m"}, {"b", "n"}};
const auto chunk_plan = std::make_shared<const promql::QueryPlan>(
    chunk_models, promql::RawQueries(vllm_profile(), {}), promql::KubeStateQueries({}, {}));

/// What is made of the answers about one chunk.
struct ChunkAnswer : ChunkSamples {
    explicit ChunkAnswer(promql::ModelChunk chunk = chunk_plan->chunks()[0])
        : ChunkSamples(chunk_plan, chunk, chunk_labels,
                       samples::ViewTable(chunk_metrics, chunk_labels, chunk_rules)) {}

    /// Calls `use` with a series of two samples.
    template <typename Use>
    static void with(const std::string& metric, const Tags& labels, Use use) {
        std::vector<samples::LabelView> all = {{"__name__", metric}};
        for (const auto& [name, value] : labels)
            all.push_back({name, value});
        const std::vector<samples::Sample> two = {{chunk_now - 15s, 1}, {chunk_now, 2}};
        use(prometheus::SeriesView{.labels = all, .samples = two});
    }
    void sample(const std::string& metric, const Tags& labels) {
        with(metric, labels, [this](const auto& series) { add(series); });
    }
    void live(const std::string& metric, const Tags& labels) {
        with(metric, labels, [this](const auto& series) { add_living(series); });
    }
    std::map<std::size_t, std::vector<samples::View>> views() && {
        return std::move(*this).take_views();
    }
};

Tags tags(const std::string& namespace_name, const std::string& model, const std::string& pod) {
    return {{"namespace", namespace_name}, {"model_name", model}, {"pod", pod}};
}

const std::string chunk_queue = "vllm:num_requests_waiting";
const std::string chunk_running = "vllm:num_requests_running";

} // namespace

TEST_CASE("series are sorted by the models that were requested") {
    ChunkAnswer answer;
    answer.sample(chunk_queue, tags("a", "m", "p"));
    answer.sample(chunk_queue, tags("b", "n", "p"));
    answer.sample(chunk_queue, tags("b", "n", "q"));
    answer.sample(chunk_queue, tags("a", "n", "p")); // This pair was not requested.
    answer.sample(chunk_queue, tags("c", "m", "p"));
    answer.sample(chunk_queue, {{"model_name", "m"}, {"pod", "p"}});
    const auto views = std::move(answer).views();
    REQUIRE(views.size() == 2);
    CHECK(views.at(0).size() == 1);
    REQUIRE(views.at(2).size() == 2);
    CHECK(views.at(2)[1].pod == "q");
    CHECK(views.at(2)[1].series.at(0).samples.size() == 2);
}

TEST_CASE("models of another chunk are ignored") {
    ChunkAnswer answer({0, 2});
    answer.sample(chunk_queue, tags("b", "n", "p"));
    answer.live(chunk_running, tags("b", "n", "p"));
    CHECK(answer.take_living().empty());
    CHECK(std::move(answer).views().empty());
}

TEST_CASE("a namespace is mostly of others if more series are of models that were not requested") {
    ChunkAnswer answer;
    CHECK_FALSE(answer.is_mostly_unrequested());
    answer.sample(chunk_queue, tags("a", "m", "p"));
    answer.sample(chunk_queue, tags("a", "other", "p"));
    CHECK_FALSE(answer.is_mostly_unrequested());
    // Neither of a requested model nor of another one.
    for (int i = 0; i < 10; ++i)
        answer.sample("up", {{"namespace", "a"}, {"pod", "p" + std::to_string(i)}});
    CHECK_FALSE(answer.is_mostly_unrequested());
    answer.sample(chunk_queue, tags("a", "other", "q"));
    CHECK(answer.is_mostly_unrequested());
}

TEST_CASE("the up of a target belongs to its view, or is told apart") {
    ChunkAnswer answer;
    answer.sample(chunk_queue, tags("a", "m", "p"));
    answer.sample("up", {{"namespace", "a"}, {"pod", "p"}});
    answer.sample("up", {{"namespace", "a"}, {"pod", "busy"}});
    const auto others = answer.unmatched_up();
    REQUIRE(others.size() == 1);
    CHECK(others[0].pod == "busy");
    CHECK(std::move(answer).views().at(0).at(0).up.size() == 2);
}

TEST_CASE("a series of the running metric that is not among the living ones has ended") {
    const bool is_known = GENERATE(false, true);
    ChunkAnswer answer;
    for (const std::string pod : {"p", "q"})
        answer.sample(chunk_running, tags("a", "m", pod));
    answer.live(chunk_running, tags("a", "m", "p"));
    if (is_known)
        answer.set_living_known(chunk_now + 1min);
    const auto views = std::move(answer).views();
    CHECK_FALSE(views.at(0).at(0).has_ended);
    CHECK(views.at(0).at(1).has_ended == is_known);
}

TEST_CASE("living series are kept for another answer about the same models") {
    ChunkAnswer first;
    first.live(chunk_running, tags("a", "m", "p"));
    first.live(chunk_running, tags("b", "n", "p"));
    first.live(chunk_running, tags("c", "m", "p"));
    const auto time_only = prometheus::SeriesView{};
    first.add_living(time_only);
    const std::vector<LivingSeries> living = first.take_living();
    REQUIRE(living.size() == 2);
    CHECK(living[0].model == 0);
    CHECK(living[1].model == 2);

    ChunkAnswer second;
    for (const std::string pod : {"p", "q"})
        second.sample(chunk_running, tags("a", "m", pod));
    for (const LivingSeries& series : living)
        second.add_living(series);
    second.set_living_known(chunk_now + 1min);
    const auto views = std::move(second).views();
    CHECK_FALSE(views.at(0).at(0).has_ended);
    CHECK(views.at(0).at(1).has_ended);
}

TEST_CASE("a native histogram counts as the two series of a classic one") {
    ChunkAnswer answer;
    const std::vector<samples::LabelView> labels = {
        {"namespace", "a"},
        {"__name__", "vllm:time_to_first_token_seconds"},
        {"model_name", "m"},
        {"pod", "p"}};
    const std::vector<prometheus::HistogramSample> histograms = {{chunk_now - 15s, 10, 5},
                                                                 {chunk_now, 20, 11}};
    answer.add(prometheus::SeriesView{.labels = labels, .histograms = histograms});
    const auto views = std::move(answer).views();
    const std::vector<samples::Series>& series = views.at(0).at(0).series;
    REQUIRE(series.size() == 2);
    CHECK(series[0].metric == chunk_metrics.find("vllm:time_to_first_token_seconds_count"));
    CHECK(series[0].samples ==
          std::vector<samples::Sample>{{chunk_now - 15s, 10}, {chunk_now, 20}});
    CHECK(series[1].metric == chunk_metrics.find("vllm:time_to_first_token_seconds_sum"));
    CHECK(series[1].samples == std::vector<samples::Sample>{{chunk_now - 15s, 5}, {chunk_now, 11}});
}

TEST_CASE("series that are not of a signal make no view") {
    ChunkAnswer answer;
    answer.sample("go_goroutines", tags("a", "m", "p"));
    answer.sample("", tags("a", "m", "p"));
    CHECK(std::move(answer).views().empty());
}
