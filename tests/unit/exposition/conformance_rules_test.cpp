// SPDX-License-Identifier: Apache-2.0

#include "unit/exposition/checked_page.hpp"

#include <catch2/catch_all.hpp>

#include <initializer_list>
#include <string>
#include <string_view>

namespace wva_metrics::exposition {
namespace {

/// Pages whose first line is `# TYPE a <type>`.
void check_of_type(std::string_view type, std::initializer_list<RefusedPage> pages) {
    for (const RefusedPage& one : pages) {
        INFO(type << '\n' << one.page);
        CHECK(strict_problem("# TYPE a " + std::string(type) + "\n" + std::string(one.page) +
                             "# EOF\n") == one.problem);
    }
}

void check_pages(std::initializer_list<RefusedPage> pages) {
    for (const RefusedPage& one : pages) {
        INFO(one.page);
        CHECK(strict_problem(std::string(one.page) + "# EOF\n") == one.problem);
    }
}

TEST_CASE("a family has not the name of the samples of another one, in either order") {
    check_pages({
        {"# TYPE a counter\n# TYPE a_total counter\n",
         "2:1: the name a_total belongs to an earlier family"},
        {"# TYPE a_total counter\n# TYPE a counter\n",
         "2:1: the name a_total belongs to an earlier family"},
        {"# TYPE a histogram\n# TYPE a_count counter\n",
         "2:1: the name a_count belongs to an earlier family"},
        {"# TYPE a counter\n# TYPE a_count counter\n", ""},
    });
}

TEST_CASE("a family has one line of metadata of each kind, before its samples") {
    const std::string_view twice = "2:1: the family has such a line already";
    const std::string_view late = "3:1: metadata must come before the samples of its family";
    check_pages({
        {"# HELP a x\n# TYPE a gauge\na 1\n", ""},
        {"# TYPE a_s gauge\n# UNIT a_s s\n# HELP a_s x\na_s 1\n", ""},
        {"# HELP a \n# HELP a \n", twice},
        {"# HELP a x\n# HELP a x\n", twice},
        {"# TYPE a gauge\n# TYPE a gauge\n", twice},
        {"# TYPE a info\n# TYPE a counter\n", twice},
        {"# UNIT a_s s\n# UNIT a_s s\n", twice},
        {"# HELP a x\na 1\n# TYPE a gauge\n", late},
        {"# TYPE a gauge\na 1\n# HELP a x\n", late},
        {"# TYPE a_s gauge\na_s 1\n# UNIT a_s s\n", late},
    });
}

TEST_CASE("a unit ends the name of its family, and infos and state sets have none") {
    check_pages({
        {"# UNIT a_seconds seconds\na_seconds 1\n", ""},
        {"# TYPE a_u counter\n# UNIT a_u u\na_u_total 1\n", ""},
        {"# TYPE a info\n# UNIT a \n", ""},
        {"# UNIT a seconds\n", "1:10: the name of the family does not end with _ and the unit"},
        {"# UNIT seconds seconds\n",
         "1:16: the name of the family does not end with _ and the unit"},
        {"# UNIT a_seconds second\n",
         "1:18: the name of the family does not end with _ and the unit"},
        {"# UNIT a_s s \n", "1:12: expected a unit of letters, digits, _ and :"},
        {"# UNIT a_s é\n", "1:12: expected a unit of letters, digits, _ and :"},
        {"# TYPE xu_u info\n# UNIT xu_u u\n", "2:13: an info or a stateset must not have a unit"},
        {"# TYPE u_u stateset\n# UNIT u_u u\n", "2:12: an info or a stateset must not have a unit"},
        {"# UNIT u_u u\n# TYPE u_u info\n", "2:12: an info or a stateset must not have a unit"},
    });
}

TEST_CASE("families are not interleaved, and their samples' names do not clash") {
    const std::string again = " has been there before; families must not be interleaved";
    const auto earlier = [](const std::string& name) {
        return "the name " + name + " belongs to an earlier family";
    };
    check_pages({
        {"a 1\nb 2\n", ""},
        {"# TYPE a counter\n# TYPE b counter\nb_total 1\n", ""},
        {"# TYPE a histogram\n# TYPE a_total gauge\na_total 1\n", ""},
        {"a 1\nb 2\na 3\n", "3:1: the family a" + again},
        {"# TYPE a gauge\n# TYPE b gauge\na 1\n", "3:1: the family a" + again},
        {"# HELP a x\n# HELP b x\n# TYPE a gauge\n", "3:1: the family a" + again},
        {"# TYPE a counter\na 1\n", "2:1: the family a" + again},
        {"# TYPE a info\na 1\n", "2:1: the family a" + again},
        {"# TYPE a histogram\na 1\n", "2:1: the family a" + again},
        {"# TYPE a_created gauge\n# TYPE a counter\n", "2:1: " + earlier("a_created")},
        {"# TYPE a counter\n# TYPE a_total gauge\n", "2:1: " + earlier("a_total")},
        {"# TYPE a counter\na_total 1\n# TYPE a_created gauge\na_created 1\n",
         "3:1: " + earlier("a_created")},
        {"# TYPE a histogram\n# TYPE a_count gauge\n", "2:1: " + earlier("a_count")},
        {"# TYPE a_bucket unknown\n# TYPE a histogram\n", "2:1: " + earlier("a_bucket")},
        {"# TYPE a summary\n# TYPE a_sum gauge\n", "2:1: " + earlier("a_sum")},
        {"# TYPE a gaugehistogram\n# TYPE a_gsum gauge\n", "2:1: " + earlier("a_gsum")},
        {"# TYPE a info\n# TYPE a_info gauge\n", "2:1: " + earlier("a_info")},
        {"a_total 1\n# TYPE a counter\n", "2:1: " + earlier("a_total")},
        {"# TYPE a summary\nq{quantile=\"0\"} 0\na_sum 0\nq{quantile=\"1\"} 0\n",
         "3:1: " + earlier("a_sum")},
    });
}

TEST_CASE("a metric is there once, not interleaved, and its times ascend") {
    const std::string_view twice = "3:1: the sample is there already";
    const std::string_view some = "either all samples of a metric have a time or none";
    const std::string_view ascend = "the times of a metric must ascend";
    const std::string_view mixed = "the samples of a metric must not be interleaved with others";
    const auto at = [](const char* place, std::string_view text) {
        return std::string(place) + std::string(text);
    };
    check_of_type("gauge", {
                               {"a 1 123\na 2 456\n", ""},
                               {"a 1 0.0000000000\na 2 0.0000000001\na 3 0.0000000010\n", ""},
                               {"a 1 1604676851.123456789\na 2 1604676851.123456790\n", ""},
                               {"a{x=\"1\"} 1 5\na{x=\"2\"} 1 4\n", ""},
                               {"a 1\na 1\n", twice},
                               {"a{x=\"1\",y=\"2\"} 1\na{y=\"2\",x=\"1\"} 1\n", twice},
                               {"a 1 5\na 1 5\n", twice},
                               {"a 0 -1\na 0 -2\n", at("3:5: ", ascend)},
                               {"a 0 -1\na 0 -1.1\n", at("3:5: ", ascend)},
                               {"a 0 1\na 0 -1\n", at("3:5: ", ascend)},
                               {"a 0 1.1\na 0 1\n", at("3:5: ", ascend)},
                               {"a 0 1\na 0 0\n", at("3:5: ", ascend)},
                               {"a 0\na 0 0\n", at("3:5: ", some)},
                               {"a 0 0\na 0\n", at("3:1: ", some)},
                               {"a{x=\"1\"} 1\na{x=\"2\"} 1\na{x=\"1\"} 2\n", at("4:1: ", mixed)},
                           });
    check_of_type(
        "summary",
        {
            {"a_count{x=\"1\"} 0 123\na_sum{x=\"1\"} 0 123\na_count{x=\"1\"} 0 456\n"
             "a_sum{x=\"1\"} 0 456\na_count{x=\"2\"} 0 123\n",
             ""},
            {"a_count{x=\"1\"} 0 123\na_count{x=\"2\"} 0 123\na_count{x=\"1\"} 0 456\n",
             at("4:1: ", mixed)},
            {"a_count 0 123\na_count 0 456\na_sum 0 123\n", at("4:9: ", ascend)},
            {"a{quantile=\"0\"} 0\na_sum{x=\"1\"} 0\na{quantile=\"1\"} 0\n", at("4:1: ", mixed)},
        });
    check_of_type("histogram",
                  {
                      {"a_bucket{x=\"1\",le=\"1\"} 0\na_bucket{x=\"2\",le=\"+Inf\"} 0\n"
                       "a_bucket{x=\"1\",le=\"+Inf\"} 0\n",
                       "2:1: the histogram has no bucket le=\"+Inf\""},
                      {"a_sum{x=\"1\"} 0\na_sum{x=\"2\"} 0\na_count{x=\"1\"} 0\n",
                       "2:1: the histogram has no bucket"},
                  });
}

TEST_CASE("a counter has a total that is a count") {
    check_of_type("counter",
                  {
                      {"", ""},
                      {"a_total 1\na_created 1520430000.123\n", ""},
                      {"a_created -5\na_total +Inf\n", ""},
                      {"a_total NaN\n", "2:9: the value must not be NaN"},
                      {"a_total -1\n", "2:9: the value must not be negative"},
                      {"a_created 1\n", "2:1: the counter has no sample _total"},
                      {"a_total 1\na_created NaN\n", "3:11: the time of creation is no time"},
                      {"a_total 1\na_created 1\na_created 1\n", "4:1: the sample is there already"},
                      {"a_created 1 # {x=\"y\"} 0.5\n",
                       "2:13: only the total of a counter and buckets may have an exemplar"},
                  });
}

TEST_CASE("only counters and buckets have exemplars") {
    const std::string_view only = "only the total of a counter and buckets may have an exemplar";
    for (const std::string page :
         {"# TYPE a gauge\na 1 # {x=\"y\"} 1\n", "# TYPE a unknown\na 1 # {x=\"y\"} 1\n",
          "# TYPE a info\na_info 1 # {x=\"y\"} 1\n",
          "# TYPE a stateset\na{a=\"x\"} 1 # {x=\"y\"} 1\n",
          "# TYPE a summary\na_count 1 # {x=\"y\"} 1\n",
          "# TYPE a summary\na{quantile=\"1\"} 1 # {x=\"y\"} 1\n",
          "# TYPE a histogram\na_sum 1 # {x=\"y\"} 1\n",
          "# TYPE a histogram\na_count 1 # {x=\"y\"} 1\n",
          "# TYPE a gaugehistogram\na_sum 1 # {x=\"y\"} 1\n",
          "# TYPE a_bucket gauge\na_bucket 1 # {x=\"y\"} 1\n"}) {
        INFO(page);
        CHECK(strict_problem(page + "# EOF\n").find(only) != std::string::npos);
    }
}

TEST_CASE("the value of an info is 1, and states are 0 or 1") {
    check_of_type("info", {
                              {"a_info{x=\"1\"} 1\na_info{x=\"2\"} 1.0\n", ""},
                              {"a_info{x=\"1\"} 1 1\na_info{x=\"2\"} 1 0\n", ""},
                              {"a_info{x=\"1\"} 2\n", "2:15: the value of an info must be 1"},
                              {"a_info 0\n", "2:8: the value of an info must be 1"},
                              {"a_info NaN\n", "2:8: the value of an info must be 1"},
                          });
    check_of_type("stateset",
                  {
                      {"a{a=\"x\"} 0\na{a=\"y\"} 1.0\n", ""},
                      {"a{e=\"1\",a=\"x\"} 0\na{e=\"1\",a=\"y\"} 1\na{e=\"2\",a=\"x\"} 1\n", ""},
                      {"a{a=\"x\"} 2\n", "2:10: the value of a state must be 0 or 1"},
                      {"a{a=\"x\"} 0.5\n", "2:10: the value of a state must be 0 or 1"},
                      {"a 0\n", "2:1: the state has no label with the name of its family"},
                      {"a{b=\"x\"} 0\n", "2:1: the state has no label with the name of its family"},
                      {"a{a=\"x\"} 0\na{a=\"x\"} 0\n", "3:1: the sample is there already"},
                  });
}

TEST_CASE("a summary has counts and quantiles between 0 and 1") {
    check_of_type(
        "summary",
        {
            {"a_count 17.0\na_sum 3.5\na_created 5\n", ""},
            {"a{quantile=\"0.99\"} 1\na{quantile=\"0.0\"} NaN\na{quantile=\"1\"} +Inf\n", ""},
            {"a 0\n", "2:1: the sample of a summary has no label quantile"},
            {"a{quantile=\"-1\"} 0\n", "2:3: the label quantile is not a number from 0 to 1"},
            {"a{quantile=\"1.01\"} 0\n", "2:3: the label quantile is not a number from 0 to 1"},
            {"a{quantile=\"foo\"} 0\n", "2:3: the label quantile is not a number from 0 to 1"},
            {"a{quantile=\"NaN\"} 0\n", "2:3: the label quantile is not a number from 0 to 1"},
            {"a{quantile=\"0.5\"} -1\n", "2:19: the value of a quantile must not be negative"},
            {"a{quantile=\"0.5\"} 1\na{quantile=\"0.50\"} 1\n", "3:1: the sample is there already"},
            {"a_sum NaN\n", "2:7: the value must not be NaN"},
            {"a_sum -1\n", "2:7: the value must not be negative"},
            {"a_count NaN\n", "2:9: the value must not be NaN"},
            {"a_count -1\n", "2:9: the value must not be negative"},
            {"a_count 0.5\n", "2:9: the count must be a whole number"},
            {"a_count +Inf\n", "2:9: the count must be finite"},
            {"a_sum{quantile=\"1\"} 1\n", "2:7: the label quantile is reserved for this type"},
        });
}

} // namespace
} // namespace wva_metrics::exposition
