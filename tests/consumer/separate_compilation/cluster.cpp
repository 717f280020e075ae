// SPDX-License-Identifier: Apache-2.0
#include <wva_metrics/kubernetes/owner_resolver.hpp>
#include <wva_metrics/kubernetes/variant_watcher.hpp>

#include <boost/asio/io_context.hpp>

using namespace wva_metrics;

bool knows_no_pod(boost::asio::io_context& io) {
    kubernetes::ClientConfig config;
    config.http.url = "http://127.0.0.1:1";
    const kubernetes::Client client(io.get_executor(), config);
    const kubernetes::OwnerResolver owners(client);
    const kubernetes::VariantWatcher variants(client);
    return owners.state_of("llm", "llama-0") == PodState::unknown && variants.snapshot()->empty();
}
