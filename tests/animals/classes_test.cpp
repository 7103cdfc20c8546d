// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include "classes.hpp"

namespace {

using animals::class_of_folder;

TEST_CASE("Italian names become English, others stay") {
  CHECK(class_of_folder("cane") == "dog");
  CHECK(class_of_folder("cavallo") == "horse");
  CHECK(class_of_folder("elefante") == "elephant");
  CHECK(class_of_folder("farfalla") == "butterfly");
  CHECK(class_of_folder("gallina") == "chicken");
  CHECK(class_of_folder("gatto") == "cat");
  CHECK(class_of_folder("mucca") == "cow");
  CHECK(class_of_folder("pecora") == "sheep");
  CHECK(class_of_folder("ragno") == "spider");
  CHECK(class_of_folder("scoiattolo") == "squirrel");
  CHECK(class_of_folder("Farfalla") == "butterfly");
  CHECK(class_of_folder("Zebra") == "Zebra");
  CHECK(class_of_folder("canes") == "canes");
}

}  // namespace
