// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/backend/layered_config.hpp"
#include "wva_metrics/backend/pod_config.hpp"
#include "wva_metrics/exposition/page_limits.hpp"
#include "wva_metrics/http/config.hpp"
#include "wva_metrics/orca/orca_ingest_config.hpp"
#include "wva_metrics/orca/orca_metric.hpp"
#include "wva_metrics/scrape/schedule.hpp"
#include "wva_metrics/scrape/scrape_target.hpp"
#include "wva_metrics/scrape/store_limits.hpp"
#include "wva_metrics/settings/collector_settings.hpp"
#include "wva_metrics/settings/detail/engine_fields.hpp"
#include "wva_metrics/settings/detail/field.hpp"
#include "wva_metrics/settings/detail/http_fields.hpp"
#include "wva_metrics/settings/kubernetes_pod_settings.hpp"

// The fields of the backends that read pods. See settings_fields.hpp.

namespace wva_metrics::detail {

inline void describe_fields(FieldList list, scrape::ScrapeTarget& target) {
    list.add("url", target.url,
             "URL of the page: `http://10.0.0.1:8000`; without a path, `/metrics` is asked.",
             Secrecy::url);
    list.add("pod", target.pod, "The pod's name; empty = host and port of the URL.");
    list.add("namespace", target.namespace_name, "The pod's namespace; empty = any.");
    list.add("uid", target.uid, "Tells the pod from another one that had its name and address.");
    list.add("model", target.model, "Id of its model; empty = the page names it.");
    list.add("labels", target.labels,
             "Added to each series of the page. The values are not shown.");
    list.add("owner", target.owner,
             "The workload that it belongs to, e.g. `Deployment/llama`; empty = derived from the "
             "pod's name.");
}

inline void describe_fields(FieldList list, PodService& service) {
    list.add("url", service.url,
             "URL of a name behind which pods stand, e.g. of a headless service: "
             "`http://vllm-headless.llm.svc:8000`. Each of its addresses is a pod.",
             Secrecy::url);
    list.add("namespace", service.namespace_name, "The pods' namespace; empty = any.");
    list.add("model", service.model, "Id of their model; empty = their pages name it.");
    list.add("owner", service.owner,
             "The workload that they belong to, e.g. `Deployment/llama`; without it they belong to "
             "none.");
}

inline void describe_fields(FieldList list, scrape::ScheduleConfig& schedule) {
    list.add("interval", schedule.interval,
             "Time between two scrapes of a pod. At least `10ms`, at most `5m`.");
    list.add("max_concurrent", schedule.max_concurrent, "Scrapes that run at the same time.");
    list.add("keep_scraping_for", schedule.keep_scraping_for,
             "A pod that nobody has asked for during this time is no longer scraped. At most "
             "`24h`.");
}

inline void describe_fields(FieldList list, exposition::PageLimits& page) {
    list.add("max_page_bytes", page.max_page_bytes, "A page, in bytes, after decompression.");
    list.add("max_line_bytes", page.max_line_bytes, "A line of text, in bytes.");
    list.add("max_family_bytes", page.max_family_bytes,
             "A family in the protobuf format, in bytes.");
    list.add("max_samples", page.max_samples, "Samples of a page that are used.");
    list.add("max_families", page.max_families, "Families of a page that are used.");
    list.add("max_labels", page.max_labels, "Labels of a sample.");
    list.add("max_name_bytes", page.max_name_bytes, "Name of a metric or a label, in bytes.");
    list.add("max_label_value_bytes", page.max_label_value_bytes, "Value of one label, in bytes.");
    list.add("max_buckets", page.max_buckets,
             "Buckets, spans or quantiles of one histogram or summary.");
}

inline void describe_fields(FieldList list, scrape::StoreLimits& store) {
    list.add("max_series", store.max_series, "Series that are kept of a pod.");
    list.add("max_samples_per_series", store.max_samples_per_series,
             "Samples that are kept of a series; the oldest make room.");
    list.add("max_labels", store.max_labels, "Labels of a series.");
    list.add("max_series_bytes", store.max_series_bytes, "Name and labels of a series, in bytes.");
    list.add("max_total_bytes", store.max_total_bytes,
             "Names and labels of all series of a pod, in bytes.");
    list.add("max_histogram_bytes", store.max_histogram_bytes,
             "Native histograms of a pod, of all samples together, in bytes.");
}

inline void describe_fields(FieldList list, orca::OrcaLimits& limits) {
    list.add("max_header_bytes", limits.max_header_bytes, "A report, in bytes.");
    list.add("max_metrics", limits.max_metrics, "Numbers in a report. At most 64.");
    list.add("max_name_bytes", limits.max_name_bytes, "Name of a number, in bytes.");
}

inline void describe_fields(FieldList list, orca::OrcaIngestConfig& reports) {
    list.add("kv_cache_usage", reports.kv_cache_usage,
             "Names of the share of the KV cache in use; the first one that a report has counts.");
    list.add("queue_length", reports.queue_length, "The same for the number of waiting requests.");
    list.add("blackout", reports.blackout,
             "Reports of a pod are not used for this long after its first one.");
    list.add("expiration", reports.expiration, "A report is not used when it is older.");
    list.add("hold", reports.hold,
             "A lower number replaces a higher one only after this time, because reports may come "
             "from several engines.");
    list.add("max_pods", reports.max_pods, "Pods whose reports are kept.");
    describe_fields(list.group("limits"), reports.limits);
}

/// What counts of the connections by which pages are read. A server has one connection, a scrape that
/// fails is not repeated, and the bound of an answer is that of a page.
inline void describe_page_client(FieldList list, http::ClientConfig& client) {
    describe_fields(list.group("timeouts"), client.timeouts);
    FieldList limits = list.group("limits");
    limits.add("max_header_bytes", client.limits.max_header_bytes,
               "Status line and headers of an answer, in bytes.");
    limits.add("max_buffer_bytes", client.limits.max_buffer_bytes,
               "Bytes received but not yet parsed.");
    limits.add("max_addresses", client.limits.max_addresses,
               "Addresses of the host that are tried.");
    limits.add("max_redirects", client.limits.max_redirects,
               "Redirects to the same server that are followed, at most 3.");
    limits.add("idle_timeout", client.limits.idle_timeout,
               "A connection that is idle for longer is not used again.");
    describe_identity(list, client);
}

inline void describe_fields(FieldList list, PodConfig& pods) {
    list.add("targets", pods.targets, "Pods that are always there: URLs, or objects as below.");
    list.add("services", pods.services,
             "Names whose addresses are pods: URLs, or objects as below.");
    list.add("find_again_after", pods.find_again_after,
             "How long the addresses of `services` are used before they are looked up again.");
    describe_page_client(list.group("client"), pods.client);
    describe_metrics(list.group("engine"), pods.engine);
    list.add("detect_engines", pods.detect_engines,
             "A page of another known kind of server is measured by the names of that kind.");
    describe_optional_readings(list, pods.optional_readings);
    describe_fields(list.group("schedule"), pods.schedule);
    list.add("scrape_timeout", pods.scrape_timeout, "Maximum time of one scrape. At most `5m`.");
    list.add("ask_by_name", pods.ask_by_name,
             "A pod that obeys is asked for the needed metrics only: `/metrics?name[]=…`.");
    list.add("whole_page_every", pods.whole_page_every,
             "A pod that obeys is asked for its whole page at least so often.");
    describe_fields(list.group("page"), pods.page);
    describe_fields(list.group("store"), pods.store);
    list.add("max_targets", pods.max_targets,
             "Pods that are scraped. Of further ones nothing is known, and answers say so.");
    list.add("rate_window", pods.rate_window,
             "Window of rates and averages; longer where scrapes are rare. At most `1h`.");
    list.add("peak_window", pods.peak_window,
             "Window of the highest value of a gauge; `\"0s\"` = only the last sample. At most "
             "`1h`.");
    list.add("min_requests", pods.min_requests,
             "An average over fewer requests in the rate window is missing.");
    list.add("stale_after", pods.stale_after,
             "A model is available if its last sample is at most this old.");
    list.add("batch_timeout", pods.batch_timeout,
             "Maximum time of one batch; shorter than `collector.call_timeout`.");
    describe_fields(list.group("load_reports"), pods.load_reports);
}

inline void describe_fields(FieldList list, KubernetesPodSettings& kubernetes) {
    list.add("namespaces", kubernetes.namespaces,
             "Namespaces whose pods are found by the Kubernetes API; `[\"*\"]` = all; empty = pods "
             "are not looked for there. A pod's annotations `prometheus.io/scrape`, `port`, `path` "
             "and `scheme` count before the fields below.");
    list.add("pod_selector", kubernetes.pod_selector,
             "Label selector of the pods, e.g. `app=vllm`; empty = every running pod.");
    list.add("model_label", kubernetes.model_label,
             "Label that holds the model's id, for pages that do not name it.");
    list.add("port_names", kubernetes.port_names,
             "Names of the container port, in the order of preference.");
    list.add("port", kubernetes.port,
             "Port of a pod without a port of these names; 0 = it is not read.");
    list.add("path", kubernetes.path, "Path of the pages.");
    list.add("scheme", kubernetes.scheme, "`http` or `https`; see `pods.tls`.");
    list.add("resolve_owners", kubernetes.resolve_owners,
             "Read the owners of the pods too: replica sets, stateful sets and deployments. "
             "Otherwise a pod's owner is derived from its name.");
    list.add("max_staleness", kubernetes.max_staleness,
             "If the API server has sent nothing for this long, answers say that pods may be "
             "missing.");
    FieldList client = list.group("client");
    client.add("url", kubernetes.client.url,
               "URL of the API server; empty = that of the cluster in which the program runs, with "
               "the account of its pod.",
               Secrecy::url);
    describe_identity(client, kubernetes.client);
    describe_fields(list.group("tls"), kubernetes.tls);
}

inline void describe_fields(FieldList list, PodSettings& pods) {
    describe_fields(list, static_cast<PodConfig&>(pods));
    describe_fields(list.group("tls"), pods.tls);
    describe_fields(list.group("kubernetes"), pods.kubernetes);
}

inline void describe_fields(FieldList list, LayeredConfig& layered) {
    list.add("patience", layered.patience,
             "How long an answer waits for the other layers after the first good one.");
    list.add("equally_fresh", layered.equally_fresh,
             "Readings whose last samples are at most so far apart are equally fresh: then the "
             "layer that is named first counts.");
    list.add("alive_within", layered.alive_within,
             "A pod that one layer reports as deleted is kept if another one has a sample of it "
             "that is younger.");
    list.add("tolerance", layered.tolerance,
             "From which difference two values are disputed, as a share of the higher one, 0 to 1; "
             "0 = they are not compared.");
    list.add("least_difference", layered.least_difference,
             "The least difference of disputed values, in the unit of the reading.");
    list.add("comparable_within", layered.comparable_within,
             "Only readings whose windows end at most so far apart are compared.");
    list.add("on_dispute", layered.on_dispute,
             "A disputed reading: `keep` = the freshest value, `highest`, or `missing`.");
}

} // namespace wva_metrics::detail
