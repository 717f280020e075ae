// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "real_server.hpp"

#include <chrono>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace wva_metrics::test_support {

/// A real single-node VictoriaMetrics with its defaults, except that it keeps data of any age. Its
/// instant queries hide what was scraped in the last 30 s.
class RealVictoriaMetrics final : public RealServer {
public:
    struct Options {
        /// The content of the file for `-promscrape.config`, as prometheus.yml.
        std::string config = "global:\n  scrape_interval: 15s\n";
        /// Appended to the command line, e.g. `-search.latencyOffset=1s`.
        std::vector<std::string> arguments{};
        /// Time limit for becoming ready, and for ending after SIGTERM.
        std::chrono::seconds patience{30};
    };

    explicit RealVictoriaMetrics(std::string binary)
        : RealVictoriaMetrics(std::move(binary), Options{}) {}

    RealVictoriaMetrics(std::string binary, Options options)
        : RealServer("victoria-metrics", "/health", options.patience), binary_(std::move(binary)),
          options_(std::move(options)) {
        launch();
    }

    /// It writes samples to its parts once a second, and queries read the parts alone.
    void flush() const override {
        const HttpAnswer answer = exchange(port(), "GET", "/internal/force_flush");
        if (answer.status != 200)
            throw std::runtime_error("VictoriaMetrics rejected a flush: " + answer.body);
    }

private:
    std::vector<std::string> prepare() const override {
        write_file("scrape.yml", options_.config);
        std::vector<std::string> words{
            binary_,
            "-promscrape.config=" + (directory() / "scrape.yml").string(),
            "-storageDataPath=" + (directory() / "data").string(),
            "-retentionPeriod=100y",
            "-httpListenAddr=127.0.0.1:" + std::to_string(port()),
        };
        words.insert(words.end(), options_.arguments.begin(), options_.arguments.end());
        return words;
    }

    std::string binary_;
    Options options_;
};

} // namespace wva_metrics::test_support
