// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "unit/prometheus/answer_fixture.hpp"

#include <cstddef>
#include <random>
#include <string>
#include <vector>

namespace wva_metrics::prometheus::testing {

/// Writes matrices as Prometheus does, mostly; the rest is written otherwise, or wrong.
class RawAnswers {
public:
    explicit RawAnswers(unsigned seed) : random_(seed) {}

    std::size_t below(std::size_t bound) {
        return std::uniform_int_distribution<std::size_t>(0, bound - 1)(random_);
    }

    /// `oddities`: how many series in 100 are unusual.
    std::string next(std::size_t oddities) {
        std::string result;
        for (std::size_t i = 0, count = 1 + below(8); i < count; ++i) {
            is_odd_ = below(100) < oddities;
            result += result.empty() ? "" : one_of({","}, {" , ", ",\n"});
            result += series(i);
        }
        return success("matrix", "[" + result + "]");
    }

private:
    using Texts = std::vector<std::string>;

    /// One of the usual texts, or perhaps of the others if the series is unusual.
    std::string one_of(const Texts& usual, const Texts& unusual) {
        const Texts& from = is_odd_ && below(6) == 0 ? unusual : usual;
        return from[below(from.size())];
    }

    std::string series(std::size_t number) {
        const std::string metric =
            one_of({"\"metric\":{"}, {"\"metric\": {", "\"m\\u0065tric\":{"}) + labels(number) +
            "}";
        return "{" + metric + one_of({""}, {R"(,"extra":{"values":[]})"}) + "," + values() +
               one_of({""}, {R"(,"histograms":[[1,{"count":"3","sum":"1"}]])", ",\"x\":1"}) + "}";
    }

    std::string labels(std::size_t number) {
        // Usually no two series are the same.
        std::string text = "\"__name__\":\"m" + one_of({std::to_string(number)}, {"0"}) + "\"";
        const Texts names{"engine", "model_name", "namespace", "pod"};
        for (const std::string& name : names) {
            if (below(8) == 0)
                continue;
            text +=
                "," + one_of({"\"" + name + "\""}, {"\"pod\"", "\"p\\u006fd\"", " \"x\""}) +
                one_of({":"}, {" :", ": "}) +
                one_of({"\"a\"", "\"a-rather-long-value\"", "\"7d9f8b6c5d\"", "\"\""},
                       {"\"\\n\"", "\"a\\\"b\"", "\"\u00e9\"", "\"\\ud83d\\ude00\"", "\"\x7f\""});
        }
        return text;
    }

    std::string values() {
        std::string text;
        std::size_t time = 1'700'000'000'000 + below(2000);
        for (std::size_t i = 0, count = 1 + below(4); i < count; ++i, time += 15'000) {
            const std::string seconds = std::to_string(time / 1000);
            const std::string usual_time =
                seconds + "." + std::to_string(1000 + time % 1000).substr(1);
            text +=
                (i > 0 ? "," : "") +
                ("[" +
                 one_of({usual_time, seconds}, {"1.7e9", "0", "1", "-1", "1700000000.0005"})) +
                "," +
                one_of({"\"1\"", "\"0.25\"", "\"1234.5\"", "\"0.35070422535211265\"", "\"NaN\""},
                       {"\"+Inf\"", "\"1e400\"", "\"\\u0031\"", "\"x\"", " \"2\"", "\"\""}) +
                "]";
        }
        return one_of({"\"values\":["}, {"\"values\": [", "\"values\":[[1,\"1\"],"}) + text + "]";
    }

    std::mt19937 random_;
    bool is_odd_ = false;
};

} // namespace wva_metrics::prometheus::testing
