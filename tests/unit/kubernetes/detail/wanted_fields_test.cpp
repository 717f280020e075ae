// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/kubernetes/detail/page_reader.hpp"
#include "wva_metrics/kubernetes/detail/wanted_fields.hpp"
#include "wva_metrics/kubernetes/objects.hpp"
#include "wva_metrics/kubernetes/read_object.hpp"
#include "wva_metrics/kubernetes/serving_pod.hpp"

#include <boost/json/parse.hpp>
#include <catch2/catch_template_test_macros.hpp>

#include <string>

using namespace wva_metrics;
using namespace wva_metrics::kubernetes;
using kubernetes::detail::PageLimits;
using kubernetes::detail::PageReader;

namespace {

/// An object with every field that any type reads.
const std::string full_object = R"({
    "metadata": {
        "name": "llama-0", "namespace": "llm", "uid": "u", "resourceVersion": "7",
        "labels": {"app": "llama"}, "deletionTimestamp": "2026-01-01T00:00:00Z",
        "annotations": {"prometheus.io/port": "9000"},
        "ownerReferences": [{"kind": "ReplicaSet", "name": "llama", "uid": "o", "controller": true}],
        "managedFields": [{"manager": "kubectl"}]},
    "spec": {
        "selector": {"matchLabels": {"app": "llama"},
                     "matchExpressions": [{"key": "tier", "operator": "In", "values": ["a"]}]},
        "replicas": 3, "modelID": "llama", "variantCost": "2.5",
        "scaleTargetRef": {"kind": "Deployment", "name": "llama"},
        "initContainers": [{"restartPolicy": "Always", "ports": [{"name": "p", "containerPort": 1}]}],
        "containers": [{"ports": [{"name": "http", "containerPort": 8000}]}]},
    "status": {"phase": "Running", "podIP": "10.0.0.7",
               "conditions": [{"type": "Ready", "status": "True"}]}})";

} // namespace

TEMPLATE_TEST_CASE("an object of a list has all fields that its type reads", "", Pod, ServingPod,
                   ReplicaSet, Deployment, StatefulSet, LeaderWorkerSet, VariantAutoscalingObject) {
    const auto whole = read_object<TestType>(boost::json::parse(full_object));
    REQUIRE(whole.has_value());
    PageReader<TestType> reader(PageLimits(ClientConfig(), 500));
    reader.write(R"({"metadata": {"resourceVersion": "9"}, "items": [)" + full_object + "]}");
    const auto page = reader.finish();
    REQUIRE(page.has_value());
    REQUIRE(page->objects.size() == 1);
    CHECK(page->objects[0] == *whole);
}
