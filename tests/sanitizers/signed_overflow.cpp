// SPDX-License-Identifier: Apache-2.0
// The number of elements of a shape that is too large to be counted.

#include <recal/core/shape.hpp>

int main(int argc, char**) {
  const recal::Index huge = recal::Index{1} << (39 + argc);
  return recal::Shape{huge, huge, 1, 1}.size() > 0 ? 0 : 1;
}
