// SPDX-License-Identifier: Apache-2.0
//
// What is peculiar to the pages of each client library and server.
#include "unit/exposition/checked_page.hpp"
#include "unit/exposition/read_samples.hpp"

#include "wva_metrics/exposition/text_format.hpp"

#include <catch2/catch_all.hpp>

#include <string>
#include <vector>

namespace wva_metrics::exposition {
namespace {

struct ClientPage {
    const char* client;
    TextFormat format;
    const char* page;
    std::vector<std::string> lines; ///< As `ReadSample::text`.
    /// Of the strict checker; empty if the page conforms.
    const char* problem = "";
};

constexpr TextFormat page_of_text = TextFormat::prometheus_0_0_4;
constexpr TextFormat page_of_open_metrics = TextFormat::open_metrics_1_0;

const std::vector<ClientPage> client_pages{
    {"client_java: a comma after the last label, E in exponents, `_created` as gauges",
     page_of_text,
     "# HELP r_total r\n# TYPE r_total counter\nr_total{m=\"GET\",} 12.0\n"
     "# HELP r_created r\n# TYPE r_created gauge\nr_created{m=\"GET\",} 1.690298866998E9\n",
     {"r_total counter r_total m=GET 12", "r_created gauge r_created m=GET 1690298866.998"}},
    {"client_java: `_created` within the family, an exemplar with three decimals",
     page_of_open_metrics,
     "# TYPE r counter\n# HELP r r\nr_total{m=\"GET\"} 12.0 # {span_id=\"5\"} 1.0 1690298866.998\n"
     "r_created{m=\"GET\"} 1.690298866998E9\n# EOF\n",
     {"r counter r_total m=GET 12", "r counter r_created m=GET 1690298866.998"}},
    {"client_python with several processes: a pid on gauges alone",
     page_of_text,
     "# HELP g Multiprocess metric\n# TYPE g gauge\ng{pid=\"12\"} 1.0\ng{pid=\"13\"} 2.0\n"
     "# HELP c_total Multiprocess metric\n# TYPE c_total counter\nc_total 4.0\n",
     {"g gauge g pid=12 1", "g gauge g pid=13 2", "c_total counter c_total 4"}},
    {"client_golang: a comment, a brace and a quote within an exemplar",
     page_of_open_metrics,
     "# TYPE c counter\nc_total 5.0 # {trace=\"a,b}\\\"#\"} 1.0 1.6200000001234567e+09\n# EOF\n",
     {"c counter c_total 5"}},
    {"prometheus-net: sum and count before the buckets, families without a sample",
     page_of_text,
     "# HELP c_total c\n# TYPE c_total counter\n# HELP h h\n# TYPE h histogram\n"
     "h_sum{code=\"200\"} 0.0012\nh_count{code=\"200\"} 1\nh_bucket{code=\"200\",le=\"0.1\"} 0\n"
     "h_bucket{code=\"200\",le=\"+Inf\"} 1\n",
     {"h histogram h_sum code=200 0.0012", "h histogram h_count code=200 1",
      "h histogram h_bucket code=200 le=0.1 0", "h histogram h_bucket code=200 le=+Inf 1"}},
    {"Micrometer: a blank help, the quantile last, a gauge with the family's name and `_max`",
     page_of_text,
     "# HELP s_seconds  \n# TYPE s_seconds summary\ns_seconds{uri=\"/{id}/**\",quantile=\"0.95\",} "
     "0.0\ns_seconds_count{uri=\"/{id}/**\",} 3.0\ns_seconds_sum{uri=\"/{id}/**\",} 0.041\n"
     "# HELP s_seconds_max  \n# TYPE s_seconds_max gauge\ns_seconds_max 0.03\n",
     {"s_seconds summary s_seconds uri=/{id}/** quantile=0.95 0",
      "s_seconds summary s_seconds_count uri=/{id}/** 3",
      "s_seconds summary s_seconds_sum uri=/{id}/** 0.041",
      "s_seconds_max gauge s_seconds_max 0.03"}},
    {"Ray: a counter and its twin with `_total`",
     page_of_text,
     "# HELP ray_n n\n# TYPE ray_n counter\nray_n{Component=\"core_worker\"} 42.0\n"
     "# HELP ray_n_total n\n# TYPE ray_n_total counter\nray_n_total{Component=\"core_worker\"} "
     "42.0\n",
     {"ray_n counter ray_n Component=core_worker 42",
      "ray_n_total counter ray_n_total Component=core_worker 42"}},
    {"Triton: counters without `_total`, six decimals",
     page_of_text,
     "# HELP nv_inference_request_success n\n# TYPE nv_inference_request_success counter\n"
     "nv_inference_request_success{model=\"ens\",version=\"1\"} 3\n"
     "# TYPE nv_gpu_utilization gauge\nnv_gpu_utilization{gpu_uuid=\"GPU-1\"} 0.000000\n",
     {"nv_inference_request_success counter nv_inference_request_success model=ens version=1 3",
      "nv_gpu_utilization gauge nv_gpu_utilization gpu_uuid=GPU-1 0"}},
    {"llama.cpp: C's spelling of no number",
     page_of_text,
     "# HELP llamacpp:tokens_seconds t\n# TYPE llamacpp:tokens_seconds gauge\n"
     "llamacpp:tokens_seconds -nan\nllamacpp:n 1\n",
     {"llamacpp:tokens_seconds gauge llamacpp:tokens_seconds -nan",
      "llamacpp:n unknown llamacpp:n 1"},
     "3:25: expected a number, NaN or Inf"},
    {"prometheus-cpp: another spelling of no number",
     page_of_text,
     "# HELP g g\n# TYPE g gauge\ng{k=\"a\"} Nan\ng{k=\"b\"} -Inf\n",
     {"g gauge g k=a nan", "g gauge g k=b -inf"}},
    {"prom-client: an empty line between families, no line feed at the end",
     page_of_text,
     "# HELP a a\n# TYPE a gauge\na -0\n\n# HELP b b\n# TYPE b gauge\nb 0.5",
     {"a gauge a -0", "b gauge b 0.5"},
     "7:6: expected a line feed after the last line"},
    {"VictoriaMetrics: no metadata, a blank between labels",
     page_of_text,
     "vm_requests_total{path=\"/a\", protocol=\"x\"} 3\n"
     "vm_seconds_bucket{vmrange=\"8.799e+00...1.000e+01\"} 3\n",
     {"vm_requests_total unknown vm_requests_total path=/a protocol=x 3",
      "vm_seconds_bucket unknown vm_seconds_bucket vmrange=8.799e+00...1.000e+01 3"}},
    {"Rust's prometheus-client: whole numbers and a unit",
     page_of_open_metrics,
     "# HELP h_seconds h.\n# TYPE h_seconds histogram\n# UNIT h_seconds seconds\nh_seconds_sum "
     "1.5\n"
     "h_seconds_count 2\nh_seconds_bucket{le=\"1.0\"} 1\nh_seconds_bucket{le=\"+Inf\"} 2\n# EOF\n",
     {"h_seconds histogram h_seconds_sum 1.5", "h_seconds histogram h_seconds_count 2",
      "h_seconds histogram h_seconds_bucket le=1.0 1",
      "h_seconds histogram h_seconds_bucket le=+Inf 2"}},
    {"dcgm-exporter: empty labels",
     page_of_text,
     "# HELP D D\n# TYPE D gauge\nD{gpu=\"0\",pod=\"\",modelName=\"NVIDIA T4\"} 585\n",
     {"D gauge D gpu=0 pod= modelName=NVIDIA T4 585"}},
};

} // namespace

TEST_CASE("the pages of well-known clients and servers are read, and their faults told") {
    for (const ClientPage& one : client_pages) {
        INFO(one.client);
        const ReadPage read = read_page(one.page, one.format);
        CHECK(read.problem == "");
        CHECK(read.lines() == one.lines);
        CHECK(strict_problem(one.page, one.format) == one.problem);
    }
}

} // namespace wva_metrics::exposition
