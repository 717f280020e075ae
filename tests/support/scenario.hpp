// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "real_server.hpp"
#include "remote_write.hpp"
#include "scraped_process.hpp"
#include "wva_metrics/reading.hpp"
#include "wva_metrics/workload.hpp"

#include <chrono>
#include <cmath>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace wva_metrics::test_support {

/// A small cluster in a namespace of its own. What was scraped of it is written with the times at
/// which it was, so that no test waits for a scrape.
class Scenario {
public:
    explicit Scenario(RealServer& server) : server_(server) {
        static int count = 0;
        namespace_ = "case-" + std::to_string(++count);
    }

    const std::string& namespace_name() const noexcept { return namespace_; }
    RealServer& server() const noexcept { return server_; }
    ModelKey model() const { return {namespace_, ServingProcess{}.model}; }
    VariantAutoscaling variant(const std::string& workload = "llama",
                               const std::string& kind = "Deployment") const {
        return {namespace_, workload + "-va", model().model_id, workload, "A100", 10, kind};
    }
    /// How long before the scenario's moment something was sampled, in seconds.
    double ago(const Reading<double>& reading) const { return ago(reading.sampled_at()); }
    double ago(TimePoint time) const {
        return std::chrono::duration<double>(moment_ - time).count();
    }

    /// The labels that a scrape adds to the series of a pod.
    ScrapedLabels target(const std::string& pod, const std::string& address = "10.0.0.1:8000",
                         const std::string& job = "vllm") const {
        return {{"namespace", namespace_}, {"pod", pod}, {"instance", address}, {"job", job}};
    }

    /// A process as one scraper saw it, with `up`.
    void add(const ServingProcess& process, const ScrapedLabels& target,
             const Scrapes& scrapes = {}) {
        add_engine(process, target, scrapes);
        if (scrapes.failed_until) {
            Scrapes answered = scrapes;
            Scrapes failed{.first = scrapes.end_marked.value(),
                           .last = *scrapes.failed_until,
                           .every = scrapes.every};
            if (failed.last >= failed.every)
                failed.end_marked = failed.last - failed.every;
            answered.end_marked.reset();
            add_series("up", target, answered, 1.0);
            add_series("up", target, failed, 0.0);
        } else {
            add_series("up", target, scrapes, 1.0);
        }
    }

    /// One more engine behind the same target, which has one `up`.
    void add_engine(const ServingProcess& engine, const ScrapedLabels& target,
                    const Scrapes& scrapes = {}) {
        Recorder{*this, target, scrapes, engine}.all();
    }

    /// What kube-state-metrics reports of a pod.
    void add(const ReportedPod& pod) {
        ScrapedLabels labels = {{"namespace", pod.reporter_namespace},
                                {"pod", "kube-state-metrics-0"},
                                {"instance", "10.0.9.9:8080"},
                                {"job", "kube-state-metrics"}};
        labels[pod.namespace_label] = namespace_;
        labels[pod.pod_label] = pod.pod;
        const auto report = [&](const char* metric, const ScrapedLabels& more, double value) {
            ScrapedLabels all = labels;
            all.insert(more.begin(), more.end());
            add_series(metric, all, pod.seen, value);
        };
        report("kube_pod_info", {{"node", "node-1"}, {"host_ip", "10.1.0.1"}}, 1);
        if (!pod.owner_name.empty())
            report("kube_pod_owner",
                   {{"owner_kind", pod.owner_kind},
                    {"owner_name", pod.owner_name},
                    {"owner_is_controller", "true"}},
                   1);
        for (const char* condition : {"true", "false", "unknown"})
            report("kube_pod_status_ready", {{"condition", condition}},
                   condition == std::string(pod.ready ? "true" : "false") ? 1 : 0);
    }

    /// Any other series.
    void add_series(const std::string& metric, const ScrapedLabels& labels, const Scrapes& scrapes,
                    const Course& value) {
        Written series{metric, labels, {}};
        for (const Ago ago : scrapes.times())
            series.samples.emplace_back(ago, value(ago));
        if (scrapes.end_marked)
            series.samples.emplace_back(*scrapes.end_marked, staleness_marker());
        series_.push_back(std::move(series));
    }

    /// A native histogram that grows evenly, by whole numbers.
    void add_native_histogram(const std::string& metric, const ScrapedLabels& labels,
                              const Scrapes& scrapes, double per_second, double average) {
        add_series(metric, labels, scrapes, std::function<double(Ago)>([=](Ago ago) {
                       return std::floor(
                           per_second *
                           std::chrono::duration<double>(std::chrono::hours(1) - ago).count());
                   }));
        series_.back().average = average;
    }

    /// Encoded native histograms, each for its number; see `WrittenSeries::EncodedHistogram`.
    void add_encoded_histogram(const std::string& metric, const ScrapedLabels& labels,
                               const Course& number, std::function<std::string(double)> encode) {
        add_series(metric, labels, {}, number);
        series_.back().encode = std::move(encode);
    }

    /// Writes everything that was added, as seen at this moment; more than once as a sender does
    /// that was not told of its success.
    void write(int times = 1) {
        using namespace std::chrono;
        const Ago now = duration_cast<Ago>(system_clock::now().time_since_epoch());
        moment_ = steady_clock::now();
        std::vector<WrittenSeries> all;
        for (const Written& series : series_) {
            ScrapedLabels labels = series.labels;
            labels["__name__"] = series.metric;
            WrittenSeries written{{labels.begin(), labels.end()}, {}};
            for (const auto& [ago, value] : series.samples) {
                const std::int64_t time = (now - ago).count();
                if (series.encode)
                    written.encoded_histograms.push_back({time, series.encode(value)});
                else if (series.average)
                    written.histograms.push_back(
                        {time, static_cast<std::uint64_t>(value), value * *series.average});
                else
                    written.samples.push_back({time, value});
            }
            all.push_back(std::move(written));
        }
        for (const auto& [labels, started, scrapes] : starts_)
            all.push_back(start_of(labels, now - started, now, scrapes));
        for (int i = 0; i < times; ++i)
            remote_write(server_.port(), all);
        server_.flush();
    }

private:
    struct Written {
        std::string metric;
        ScrapedLabels labels;
        std::vector<std::pair<Ago, double>> samples;
        /// The average of what a native histogram counts; `samples` are its counts then.
        std::optional<double> average{};
        /// The message of a native histogram by its number.
        std::function<std::string(double)> encode{};
    };
    struct Start {
        ScrapedLabels labels;
        Ago started;
        Scrapes scrapes;
    };

    /// The time of a process's start is known only at the scenario's moment.
    static WrittenSeries start_of(const ScrapedLabels& labels, Ago start, Ago now,
                                  const Scrapes& scrapes) {
        WrittenSeries written{{labels.begin(), labels.end()}, {}};
        const double value = static_cast<double>(start.count()) / 1000;
        for (const Ago ago : scrapes.times())
            written.samples.push_back({(now - ago).count(), value});
        if (scrapes.end_marked)
            written.samples.push_back({(now - *scrapes.end_marked).count(), staleness_marker()});
        return written;
    }

    /// Makes the series of one process.
    struct Recorder {
        Scenario& scenario;
        const ScrapedLabels& target;
        const Scrapes& scrapes;
        const ServingProcess& process;

        void all() const {
            gauge("vllm:num_requests_running", 2);
            gauge("vllm:num_requests_waiting", process.queue);
            gauge("vllm:kv_cache_usage_perc", process.kv_usage);
            counter("vllm:request_success_total", 0.75, {{"finished_reason", "stop"}});
            counter("vllm:request_success_total", 0.25, {{"finished_reason", "length"}});
            created("vllm:request_success_created", {{"finished_reason", "stop"}});
            histogram("vllm:request_prompt_tokens", 1, process.input_tokens);
            histogram("vllm:request_generation_tokens", 1, process.output_tokens);
            histogram("vllm:time_to_first_token_seconds", 1, process.ttft_seconds);
            histogram("vllm:inter_token_latency_seconds", process.output_tokens - 1,
                      process.itl_seconds);
            if (process.tells_start) {
                ScrapedLabels labels = target;
                labels["__name__"] = "process_start_time_seconds";
                scenario.starts_.push_back({labels, process.started, scrapes});
            }
        }

        ScrapedLabels labels(const ScrapedLabels& more = {}) const {
            ScrapedLabels all = target;
            all["model_name"] = process.model;
            if (!process.engine.empty())
                all["engine"] = process.engine;
            all.insert(process.labels.begin(), process.labels.end());
            all.insert(more.begin(), more.end());
            return all;
        }
        void gauge(const std::string& metric, const Course& value) const {
            scenario.add_series(metric, labels(), scrapes, value);
        }
        /// Grows by `per_request` with each request.
        void counter(const std::string& metric, double per_request,
                     const ScrapedLabels& more = {}) const {
            const double per_second = process.requests_per_minute / 60 * per_request;
            const Ago started = process.started;
            scenario.add_series(
                metric, labels(more), scrapes, std::function<double(Ago)>([=](Ago ago) {
                    return per_second * std::chrono::duration<double>(started - ago).count();
                }));
        }
        void histogram(const std::string& metric, double per_request, double average) const {
            if (process.has_native_histograms) {
                scenario.add_native_histogram(metric, labels(), scrapes,
                                              process.requests_per_minute / 60 * per_request,
                                              average);
                return;
            }
            counter(metric + "_count", per_request);
            counter(metric + "_sum", per_request * average);
            created(metric + "_created");
        }
        void created(const std::string& metric, const ScrapedLabels& more = {}) const {
            if (!process.tells_start)
                return;
            ScrapedLabels all = labels(more);
            all["__name__"] = metric;
            scenario.starts_.push_back({all, process.started, scrapes});
        }
    };

    RealServer& server_;
    std::string namespace_;
    TimePoint moment_{};
    std::vector<Written> series_;
    std::vector<Start> starts_;
};

} // namespace wva_metrics::test_support
