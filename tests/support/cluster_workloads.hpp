// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "support/api_messages.hpp"
#include "support/api_server.hpp"

namespace wva_metrics::test_support {

/// Scripts the lists and watches of all workloads, with one replica set.
inline void answer_workloads(ApiServer& server) {
    server.answer_list("replicasets", object_list({replica_set_json("odd", "web")}, "10"));
    server.answer_list("statefulsets", object_list({}, "10"));
    server.answer_list("deployments", object_list({}, "10"));
    for (const char* const plural : {"replicasets", "statefulsets", "deployments"})
        server.answer_watch(plural);
}

} // namespace wva_metrics::test_support
