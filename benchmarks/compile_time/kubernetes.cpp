// SPDX-License-Identifier: Apache-2.0
//
// A unit that follows a cluster's pods and variants.
#include <wva_metrics/kubernetes/owner_resolver.hpp>
#include <wva_metrics/kubernetes/variant_watcher.hpp>

#include <boost/asio/io_context.hpp>

int main() {
    using namespace wva_metrics;
    boost::asio::io_context io;
    const kubernetes::Client client(io.get_executor(), {});
    kubernetes::OwnerResolver owners(client);
    kubernetes::VariantWatcher variants(client);
    owners.start();
    variants.start();
    io.run();
}
