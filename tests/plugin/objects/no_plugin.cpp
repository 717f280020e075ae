// SPDX-License-Identifier: Apache-2.0
#include <boost/config.hpp>

extern "C" BOOST_SYMBOL_EXPORT int something_else();
int something_else() {
    return 42;
}
