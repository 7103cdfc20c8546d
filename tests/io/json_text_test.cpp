// SPDX-License-Identifier: Apache-2.0
#include <recal/io/json_text.hpp>

#include <cstdint>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

using recal::io::JsonScanner;

namespace {

std::string scan_string(std::string_view text) {
  JsonScanner scan(text, "text");
  std::string result = scan.string("a string");
  scan.end();
  return result;
}

std::uint64_t scan_number(std::string_view text) {
  JsonScanner scan(text, "text");
  const std::uint64_t result = scan.unsigned_integer("a number");
  scan.end();
  return result;
}

/// Reads {"key": [numbers], ...} and writes it down again.
std::string scan_lists(std::string_view text) {
  JsonScanner scan(text, "text");
  std::string result;
  scan.object("an object", [&](const std::string& key) {
    result += key + ":";
    scan.list("a list", [&] { result += std::to_string(scan.unsigned_integer("a number")) + ";"; });
  });
  scan.end();
  return result;
}

}  // namespace

TEST_CASE("objects, lists, numbers and strings are read") {
  CHECK(scan_lists("{}").empty());
  CHECK(scan_lists(" {\"a\" : [ ] ,\t\"b\":[1,\r\n 20]} \n") == "a:b:1;20;");
  CHECK(scan_number("18446744073709551615") == 18446744073709551615ULL);
  CHECK(scan_number("0") == 0);
  CHECK(scan_string(R"("a\"\\\/\b\f\n\r\tz")") == "a\"\\/\b\f\n\r\tz");
  CHECK(scan_string("\"\\u0041\\u00e9\\u20AC\\ud83d\\ude00\"") == "A\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80");
  CHECK(scan_string("\"\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80\"") == "\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80");
  CHECK(scan_string("\"\\u0000\"") == std::string(1, '\0'));
}

TEST_CASE("messages say what was expected, where, and what is there") {
  CHECK_THROWS_WITH_AS(scan_lists("[1]"), "recal: text: expected an object at byte 0 of the JSON text, found a list",
                       recal::error);
  CHECK_THROWS_WITH_AS(scan_lists("{\"a\":{}}"),
                       "recal: text: expected a list at byte 5 of the JSON text, found an object", recal::error);
  CHECK_THROWS_WITH_AS(scan_lists("{\"a\":[\"b\"]}"), doctest::Contains("found a string"), recal::error);
  CHECK_THROWS_WITH_AS(scan_lists("{\"a\":[-1]}"), doctest::Contains("found a negative number"), recal::error);
  CHECK_THROWS_WITH_AS(scan_lists("{7"), doctest::Contains("expected a key at byte 1 of the JSON text, found a number"),
                       recal::error);
  CHECK_THROWS_WITH_AS(scan_lists("{\"a\":[1] x"), doctest::Contains("expected ',' or '}' at byte 9"), recal::error);
  CHECK_THROWS_WITH_AS(scan_lists("{\"a\":[1"), doctest::Contains("found the end"), recal::error);
  CHECK_THROWS_WITH_AS(scan_lists("{\"a\"[1"), doctest::Contains("expected ':'"), recal::error);
  CHECK_THROWS_WITH_AS(scan_lists("{}\x01"), doctest::Contains("expected the end of the text at byte 2"), recal::error);
  CHECK_THROWS_WITH_AS(scan_lists(std::string_view("{}\0", 3)), doctest::Contains("found byte 0"), recal::error);
}

TEST_CASE("what JSON does not allow is refused") {
  for (const auto* text :
       {"", "-0", "01", "1.0", "1e3", "1E3", "18446744073709551616", "99999999999999999999", "+1", "0x1", "1 2", "NaN"})
    CHECK_THROWS_AS(scan_number(text), recal::error);
  for (const auto* text : {"{,}", "{\"a\":[1],}", "{\"a\":[1,]}", "{\"a\":[,1]}", "{'a':[1]}", "{a:[1]}", "// {}\n{}",
                           "{\"a\":[1]}}", "{\"a\":[1 2]}", "\xEF\xBB\xBF{}"})
    CHECK_THROWS_AS(scan_lists(text), recal::error);
  for (const auto* text : {"\"",
                           "\"a",
                           "\"\n\"",
                           "\"\x7F\xFF\"",
                           "\"\\x\"",
                           "\"\\u12\"",
                           "\"\\u12G4\"",
                           "\"\\ud800\"",
                           "\"\\udc00\"",
                           "\"\\ud800\\u0041\"",
                           "\"\\ud800x\"",
                           "\"\x80\"",
                           "\"\xC0\x80\"",
                           "\"\xC3\"",
                           "\"\xE0\x80\x80\"",
                           "\"\xED\xA0\x80\"",
                           "\"\xF0\x80\x80\x80\"",
                           "\"\xF4\x90\x80\x80\"",
                           "\"\xF5\x80\x80\x80\"",
                           "\"\\"})
    CHECK_THROWS_AS(scan_string(text), recal::error);
}

TEST_CASE("json_string writes what the scanner and another JSON library read back") {
  std::mt19937_64 random(3);
  for (int round = 0; round < 2000; ++round) {
    std::string text;
    for (std::uint64_t left = random() % 12; left > 0; --left) {
      std::uint64_t point = random() % (round % 2 == 0 ? 0x100 : 0x110000);
      if (point >= 0xD800 && point <= 0xDFFF) point = 0xFFFD;
      recal::io::detail::append_utf8(text, static_cast<std::uint32_t>(point));
    }
    const std::string json = recal::io::json_string(text);
    CHECK(scan_string(json) == text);
    CHECK(nlohmann::json::parse(json).get<std::string>() == text);
    CHECK(scan_string(nlohmann::json(text).dump(-1, ' ', round % 3 == 0)) == text);
  }
  CHECK_THROWS_WITH_AS((void)recal::io::json_string("a\xFF"), doctest::Contains("not valid UTF-8 at its byte 1"),
                       recal::error);
}

TEST_CASE("valid UTF-8 is what another JSON library takes for it") {
  std::mt19937_64 random(4);
  constexpr std::string_view edges = "\x41\x7F\x80\x8F\x90\x9F\xA0\xBF\xC0\xC1\xC2\xDF\xE0\xED\xEF\xF0\xF4\xF5\xFF";
  int valid = 0;
  for (int round = 0; round < 20000; ++round) {
    std::string json = "\"";
    for (std::uint64_t left = 1 + random() % 4; left > 0; --left) json += edges[random() % edges.size()];
    json += '"';
    bool taken = true;
    try {
      (void)scan_string(json);
    } catch (const recal::error&) {
      taken = false;
    }
    valid += taken ? 1 : 0;
    REQUIRE(taken == nlohmann::json::accept(json));
  }
  CHECK(valid > 100);
}
