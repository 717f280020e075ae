// SPDX-License-Identifier: Apache-2.0
//
// A plugin of another version: only the first member of its descriptor is readable.
#include <boost/config.hpp>

extern "C" {
struct DescriptorOfAnotherVersion {
    const char* abi;
    unsigned long long something_else;
};
BOOST_SYMBOL_EXPORT extern const DescriptorOfAnotherVersion wva_metrics_plugin;
const DescriptorOfAnotherVersion wva_metrics_plugin{
    "wva_metrics 0.0.9, Boost 1_74, libstdc++ string ABI 0, GCC C++ ABI 1011", 42};
}
