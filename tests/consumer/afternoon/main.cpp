// SPDX-License-Identifier: Apache-2.0
#include "autoscaler.hpp"

#include <wva_metrics/settings/collector_factory.hpp>
#include <wva_metrics/settings/load_settings.hpp>
#include <wva_metrics/settings/plugin/load_plugin.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>

#include <iostream>

int main(int count, char** arguments) try {
    using namespace wva_metrics;
    const CollectorSettings settings =
        load_settings_file(count > 1 ? arguments[1] : "collector.json").value().settings;
    CollectorFactory factory; // Backends, caches and decorators of your own are registered here.
    load_plugins(factory, settings.plugins).value();

    boost::asio::io_context io;
    AnyCollector collector = factory.make_collector(io.get_executor(), settings).value();
    co_spawn(io, reconcile(collector, settings.tracked.variants), boost::asio::detached);
    io.run();
} catch (const std::exception& error) {
    std::cerr << error.what() << '\n';
    return 1;
}
