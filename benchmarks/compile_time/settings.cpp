// SPDX-License-Identifier: Apache-2.0
//
// A unit that makes a collector from a document and applies a changed one.
#include <wva_metrics/settings/apply_settings.hpp>
#include <wva_metrics/settings/collector_factory.hpp>
#include <wva_metrics/settings/load_settings.hpp>

#include <boost/asio/io_context.hpp>

int main() {
    using namespace wva_metrics;
    boost::asio::io_context io;
    const CollectorSettings settings = load_settings_file("collector.json").value().settings;
    AnyCollector collector = make_collector(io.get_executor(), settings).value();
    (void)apply_settings(collector, settings, load_settings("{}").value().settings);
    io.run();
}
