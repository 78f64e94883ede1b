#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Hold each family's header, specification and policies together: paxos, paxos_kv.

usage: check.py             compare the three, then prove that it can fail
       check.py --compare   only compare

Names, values, order and types of attributes, commands, enumerations, limits,
multicast groups and who may do what. Each disagreement is one sentence. The
self-test changes one of the three in memory at a time and wants a complaint.
"""

import glob
import os
import re
import sys

import yaml

TOP = os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "..")
HEADER = "uapi/linux/paxos.h"
SPEC = "uapi/paxos.yaml"
KERNEL = "kmod/*.c"
# prefix of names, header, specification, sources
FAMILIES = (
    ("PAXOS", HEADER, SPEC, KERNEL),
    ("PAXOS_KV", "uapi/linux/paxos_kv.h", "uapi/paxos_kv.yaml", "kmod/kv/*.c"),
)
PREFIX = "PAXOS"    # of the family that is being compared


def without_comments(text):
    return re.sub(r"/\*.*?\*/", " ", text, flags=re.S)


def number(expression, names):
    """A constant expression of C: numbers, names, << + - * and brackets."""
    text = re.sub(r"\b[A-Za-z_]\w*\b",
                  lambda m: str(names[m[0]]) if m[0] in names else m[0],
                  re.sub(r"\b(0x[\da-fA-F]+|\d+)[UL]+\b", r"\1", expression))
    if not re.fullmatch(r"[\dxa-fA-F\s()<+*-]+", text):
        raise ValueError(f"cannot evaluate '{expression.strip()}'")
    return eval(text)  # digits and operators only


class Header:
    """What linux/paxos.h defines, and what its comment says."""

    def __init__(self, text):
        self.comment = max(re.findall(r"/\*.*?\*/", text, re.S), key=len)
        code = without_comments(text)
        self.defines, self.strings = {}, {}
        self.enums, self.values = {}, {}
        for name, body in re.findall(r"enum\s+(\w+)\s*\{(.*?)\}", code, re.S):
            at, members = 0, []
            for entry in filter(None, map(str.strip, body.split(","))):
                entry, _, value = map(str.strip, entry.partition("="))
                if value:
                    at = number(value, self.values)
                members.append((entry, at))
                self.values[entry] = at
                at += 1
            self.enums[name] = members
        for name, value in re.findall(r"^#define\s+(\w+)[ \t]+(.+)$", code, re.M):
            value = value.strip()
            if value.startswith('"'):
                self.strings[name] = value.strip('"')
            else:
                self.defines[name] = number(value, {**self.values,
                                                    **self.defines})
        self.names = {**self.values, **self.defines}

    def attributes_said(self):
        """(attribute, type) as the comment has them."""
        for name, kind in re.findall(PREFIX + r"(_A_[A-Z0-9_]+): (u8|u16|u32|"
                                     r"u64|be16|binary|nested|string)\b",
                                     self.comment):
            yield PREFIX + name, kind
        # "Repeated X and Y, each nested", "X, repeated, each nested"
        text = re.sub(r"\n \*\s*", " ", self.comment)
        for name in re.findall(rf"({PREFIX}_A_\w+)(?:, repeated, each nested| and )",
                               text):
            yield name, "nested"

    def admin_said(self):
        """{command: whether the comment wants CAP_NET_ADMIN}"""
        said, agent = {}, False
        for line in self.comment.splitlines():
            agent |= line.startswith(" * The agent's part (admin)")
            match = re.match(rf" \* ({PREFIX}_CMD_\w+)\s*(?:\(([^)]*)\))?[:\s]", line)
            if match:
                said[match[1]] = agent or "admin" in (match[2] or "")
        return said


def c_name(*parts):
    return "".join(parts).upper().replace("-", "_")


class Spec:
    """What paxos.yaml says."""

    def __init__(self, text):
        self.spec = spec = yaml.safe_load(text)
        family = spec["name"]
        self.consts, self.enums, self.sets = {}, {}, {}
        for entry in spec["definitions"]:
            if entry["type"] == "const":
                self.consts[c_name(family, "-", entry["name"])] = entry["value"]
                continue
            self.enums[entry["name"]] = (
                entry["enum-name"].replace("-", "_"),
                self.members(entry["entries"], entry["name-prefix"],
                             entry.get("value-start", 0)))
        for group in spec["attribute-sets"]:
            self.sets[group["name"]] = (
                group["enum-name"].replace("-", "_"),
                self.members(group["attributes"], group["name-prefix"], 1),
                {c_name(group["name-prefix"], a["name"]): a
                 for a in group["attributes"]})
        operations = spec["operations"]
        self.prefix = operations["name-prefix"]
        self.command_enum = operations["enum-name"].replace("-", "_")
        self.commands = self.members(operations["list"], self.prefix, 1)
        self.operations = {c_name(self.prefix, o["name"]): o
                           for o in operations["list"]}

    @staticmethod
    def members(entries, prefix, at):
        found = []
        for entry in entries:
            if isinstance(entry, str):
                entry = {"name": entry}
            at = entry.get("value", at)
            found.append((c_name(prefix, entry["name"]), at))
            at += 1
        return found

    def names(self):
        values = dict(self.consts)
        for group in self.spec["definitions"]:
            if group["type"] == "const":
                values[group["name"]] = group["value"]
        return values


class Kernel:
    """Policies, operations and multicast groups of kmod/*.c."""

    def __init__(self, sources, names):
        code = without_comments("\n".join(sources.values()))
        self.macros = dict(re.findall(r"^#define\s+(POLICY_\w+)[ \t]+(.+)$",
                                      code, re.M))
        self.ranges = {}
        for name, body in re.findall(r"struct netlink_range_validation\s+(\w+)"
                                     r"\s*=\s*\{(.*?)\};", code, re.S):
            self.ranges[name] = {key: number(value, names) for key, value in
                                 re.findall(r"\.(min|max)\s*=\s*([^,}]+)", body)}
        self.limits = names
        self.policies = {}
        for name, body in re.findall(r"const struct nla_policy\s+(\w+)\[[^]]*\]"
                                     r"\s*=\s*\{(.*?)\n\};", code, re.S):
            self.policies[name] = {attr: self.policy(value) for attr, value in
                                   self.entries(body)}
        self.operations = {}
        match = re.search(r"struct genl_(?:small_)?ops\s+\w+\[\]\s*=\s*\{(.*?)\n\};",
                          code, re.S)
        self.order = []
        for body in re.findall(r"\{(.*?)\}", match[1], re.S):
            fields = dict(re.findall(r"\.(\w+)\s*=\s*([^,]+)", body))
            self.operations[fields["cmd"]] = fields
            self.order.append(fields["cmd"])
        match = re.search(r"struct genl_multicast_group\s+\w+\[\]\s*=\s*\{(.*?)\n\};",
                          code, re.S)
        self.groups = [dict(re.findall(r"\.(\w+)\s*=\s*([\w|]+)", body))
                       for body in re.findall(r"\{(.*?)\}",
                                              match[1] if match else "")]
        match = re.search(r"struct genl_family\s+\w+[^=]*=\s*\{(.*?)\n\};", code,
                          re.S)
        self.family = dict(re.findall(r"\.(\w+)\s*=\s*(\w+)", match[1]))

    @staticmethod
    def entries(body):
        """[NAME] = VALUE, where VALUE may hold commas within brackets."""
        for match in re.finditer(r"\[(\w+)\]\s*=\s*", body):
            depth, end = 0, match.end()
            while end < len(body) and (depth or body[end] != ","):
                depth += (body[end] in "({") - (body[end] in ")}")
                end += 1
            yield match[1], body[match.end():end].strip()

    def policy(self, text):
        text = " ".join(self.macros.get(text, text).split())
        value = lambda expression: number(expression, self.limits)
        match = re.fullmatch(r"NLA_POLICY_NESTED\((\w+)\)", text)
        if match:
            return {"type": "nest", "policy": match[1]}
        match = re.fullmatch(r"NLA_POLICY_EXACT_LEN\((.+)\)", text)
        if match:
            return {"type": "binary", "exact-len": value(match[1])}
        match = re.fullmatch(r"NLA_POLICY_(MIN|MAX)\(NLA_(\w+), (.+)\)", text)
        if match:
            return {"type": match[2].lower(), match[1].lower(): value(match[3])}
        match = re.fullmatch(r"NLA_POLICY_RANGE\(NLA_(\w+), ([^,]+), ([^,]+)\)",
                             text)
        if match:
            suffix = "-len" if match[1] == "BINARY" else ""
            return {"type": match[1].lower(), "min" + suffix: value(match[2]),
                    "max" + suffix: value(match[3])}
        match = re.fullmatch(r"NLA_POLICY_FULL_RANGE\(NLA_(\w+), &(\w+)\)", text)
        if match:
            return {"type": match[1].lower(), **self.ranges[match[2]]}
        match = re.fullmatch(r"\{ \.type = NLA_(\w+),?(?: \.len = ([^,}]+),?)? \}",
                             text)
        if match:
            found = {"type": match[1].lower()}
            if match[2]:
                found["max-len"] = value(match[2])
            return found
        raise ValueError(f"cannot read the policy '{text}'")


class Comparison:
    def __init__(self, header, spec, sources):
        self.complaints = []
        self.header = Header(header)
        self.spec = Spec(spec)
        self.kernel = Kernel(sources, self.header.names)

    def complain(self, sentence):
        self.complaints.append(sentence)

    def lists(self, what, ours, theirs):
        """Two lists of (name, value): ours of the header, theirs of the spec."""
        ours, theirs = list(ours), list(theirs)
        if ours == theirs:
            return
        before = len(self.complaints)
        for name, value in ours:
            if name not in dict(theirs):
                self.complain(f"{what}: {name} is in the header only")
            elif dict(theirs)[name] != value:
                self.complain(f"{what}: {name} is {value} in the header, "
                              f"{dict(theirs)[name]} in the spec")
        for name, _ in theirs:
            if name not in dict(ours):
                self.complain(f"{what}: {name} is in the spec only")
        if len(self.complaints) == before:
            self.complain(f"{what}: another order")

    def limits(self):
        strings = {self.header.strings.get(f"{PREFIX}_GENL_NAME"):
                   self.spec.spec["name"]}
        for ours, theirs in strings.items():
            if ours != theirs:
                self.complain(f"the family is '{ours}' in the header, "
                              f"'{theirs}' in the spec")
        if self.header.defines.get(f"{PREFIX}_GENL_VERSION") != \
                self.spec.spec["version"]:
            self.complain("the version of the family differs")
        ours = {name: value for name, value in self.header.defines.items()
                if name not in (f"{PREFIX}_GENL_VERSION",
                                f"_UAPI_LINUX_{PREFIX}_H")
                and not re.fullmatch(rf"{PREFIX}_(CMD|A|A_\w+)_MAX", name)}
        self.lists("limits", ours.items(), self.spec.consts.items())

    def enums(self):
        said = {enum: members for enum, members in self.spec.enums.values()}
        for enum, members in said.items():
            if enum not in self.header.enums:
                self.complain(f"enum {enum} is in the spec only")
            else:
                self.lists(f"enum {enum}", self.header.enums[enum], members)
        known = set(said) | {self.spec.command_enum} | \
            {group[0] for group in self.spec.sets.values()}
        for enum in self.header.enums:
            if enum not in known:
                self.complain(f"enum {enum} is in the header only")

    def counted(self, what, enum, members, prefix):
        """An enum that ends with __X_MAX, and X_MAX."""
        ours = self.header.enums.get(enum)
        if ours is None:
            self.complain(f"enum {enum} is in the spec only")
            return
        last = f"__{prefix}MAX"
        if ours[-1][0] != last:
            self.complain(f"{what}: {last} is not the last of {enum}")
            return
        self.lists(what, ours[:-1], members)
        if self.header.defines.get(f"{prefix}MAX") != ours[-1][1] - 1:
            self.complain(f"{what}: {prefix}MAX is not the last one's value")

    def attributes(self):
        for name, (enum, members, attrs) in self.spec.sets.items():
            prefix = c_name(next(g["name-prefix"] for g in
                                 self.spec.spec["attribute-sets"]
                                 if g["name"] == name))
            self.counted(f"attributes '{name}'", enum, members, prefix)
        types = {attr: (a["type"], a.get("byte-order")) for _, _, attrs in
                 self.spec.sets.values() for attr, a in attrs.items()}
        words = {"nested": "nest", "be16": "u16"}
        for attr, word in self.header.attributes_said():
            if attr not in types:
                self.complain(f"the header's comment tells of {attr}, "
                              "which the spec does not have")
                continue
            kind, order = types[attr]
            if words.get(word, word) != kind or \
                    (word == "be16") != (order == "big-endian"):
                self.complain(f"{attr} is {word} in the header's comment, "
                              f"{order or ''} {kind} in the spec")

    def commands(self):
        members = [(c_name(self.spec.prefix, "unspec"), 0)] + self.spec.commands
        self.counted("commands", self.spec.command_enum, members,
                     c_name(self.spec.prefix))
        for command, admin in self.header.admin_said().items():
            operation = self.spec.operations.get(command)
            if operation is None:
                self.complain(f"the header's comment tells of {command}, "
                              "which the spec does not have")
            elif "event" not in operation and \
                    admin != ("uns-admin-perm" in operation.get("flags", [])):
                self.complain(f"{command}: the header's comment and the spec "
                              "differ in whether it is for admins")
        for command in self.spec.operations:
            if command not in self.header.admin_said() and \
                    "event" not in self.spec.operations[command]:
                self.complain(f"the header's comment does not tell of {command}")

    def groups(self):
        ours = [(g["name"], "uns-admin-perm" in g.get("flags", []))
                for g in self.spec.spec.get("mcast-groups", {"list": []})["list"]]
        theirs = [(self.header.strings.get(g["name"], g["name"]),
                   "GENL_MCAST_CAP_NET_ADMIN" in g.get("flags", ""))
                  for g in self.kernel.groups]
        if ours != theirs:
            self.complain(f"multicast groups (name, admin): {theirs} in the "
                          f"kernel, {ours} in the spec")
        for group in self.spec.spec.get("mcast-groups", {"list": []})["list"]:
            define = c_name(group["c-define-name"])
            if self.header.strings.get(define) != group["name"]:
                self.complain(f"{define} of the header does not name the "
                              f"multicast group '{group['name']}'")
        names = [name for name, _ in ours]
        for command, operation in self.spec.operations.items():
            if "event" in operation and operation.get("mcgrp") not in names:
                self.complain(f"{command} goes to no known multicast group")

    def policy(self, where, name, attribute_set, wanted):
        """The kernel's policy @name takes exactly @wanted, None: some."""
        policy = self.kernel.policies.get(name)
        if policy is None:
            self.complain(f"{where}: the kernel has no policy {name}")
            return
        attrs = self.spec.sets[attribute_set][2]
        if wanted is not None:
            for attr in wanted - set(policy):
                self.complain(f"{where}: {attr} is in the spec, "
                              f"and not in {name}")
            for attr in set(policy) - wanted:
                self.complain(f"{where}: {attr} is in {name}, "
                              "and not in the spec")
        for attr, ours in policy.items():
            if attr not in attrs:
                self.complain(f"{where}: {name} has {attr}, which is no "
                              f"attribute of '{attribute_set}'")
                continue
            self.attribute(f"{where}: {attr}", ours, attrs[attr])

    def attribute(self, where, ours, theirs):
        if ours["type"] != theirs["type"]:
            self.complain(f"{where} is {ours['type']} in the kernel, "
                          f"{theirs['type']} in the spec")
            return
        if ours["type"] == "nest":
            self.policy(where, ours["policy"], theirs["nested-attributes"],
                        None)
            return
        names = self.spec.names()
        checks = {key: names.get(value, value) for key, value in
                  theirs.get("checks", {}).items()}
        if "enum" in theirs and "max" not in checks:
            checks["max"] = self.spec.enums[theirs["enum"]][1][-1][1]
        limits = {key: value for key, value in ours.items() if key != "type"}
        if limits != checks:
            self.complain(f"{where}: the kernel checks {limits or 'nothing'}, "
                          f"the spec {checks or 'nothing'}")

    def policies(self):
        asked = [command for command, operation in self.spec.operations.items()
                 if "event" not in operation]
        if self.kernel.order != asked:
            self.complain("the kernel's operations are not the spec's: "
                          f"{sorted(set(self.kernel.order) ^ set(asked))}, "
                          "or in another order")
        used = set()
        for command in asked:
            ours = self.kernel.operations.get(command)
            theirs = self.spec.operations[command]
            if ours is None:
                continue
            admin = "GENL_UNS_ADMIN_PERM" in ours.get("flags", "")
            if admin != ("uns-admin-perm" in theirs.get("flags", [])):
                self.complain(f"{command} is {'' if admin else 'not '}for "
                              "admins in the kernel, and otherwise in the spec")
            if re.search(r"GENL_ADMIN_PERM", ours.get("flags", "")):
                self.complain(f"{command} wants the capability of the first "
                              "user namespace")
            for field, key in (("doit", "do"), ("dumpit", "dump")):
                if (field in ours) != (key in theirs):
                    self.complain(f"{command}: '{key}' is in one of kernel "
                                  "and spec only")
            wanted = set()
            for key in ("do", "dump"):
                for attr in theirs.get(key, {}).get("request", {}) \
                        .get("attributes", []):
                    wanted.add(c_name(PREFIX, "-a-", attr))
            if ours.get("maxattr") != f"{PREFIX}_A_MAX":
                self.complain(f"{command}: maxattr is {ours.get('maxattr')}")
            self.policy(command, ours.get("policy"), theirs["attribute-set"],
                        wanted)
            used.add(ours.get("policy"))
        for name, policy in self.kernel.policies.items():
            used.update(p["policy"] for p in policy.values() if "policy" in p)
        for name in set(self.kernel.policies) - used:
            self.complain(f"nothing uses the policy {name}")
        if self.kernel.family.get("name") != f"{PREFIX}_GENL_NAME" or \
                self.kernel.family.get("version") != f"{PREFIX}_GENL_VERSION":
            self.complain("the kernel's family has a name or version of its own")

    def replies(self):
        for command, operation in self.spec.operations.items():
            attrs = self.spec.sets[operation["attribute-set"]][2]
            trees = [operation.get("event", {})]
            for key in ("do", "dump"):
                trees += [operation.get(key, {}).get(way, {})
                          for way in ("request", "reply")]
            for tree in trees:
                for name in tree.get("attributes", []):
                    if c_name(PREFIX, "-a-", name) not in attrs:
                        self.complain(f"{command} has '{name}', which is no "
                                      "attribute")


SUBJECTS = ("limits", "enums", "attributes", "commands", "groups", "policies",
            "replies")


def compare(header, spec, sources):
    """{subject: complaints}, or one for what cannot even be read."""
    try:
        comparison = Comparison(header, spec, sources)
    except (ValueError, KeyError, TypeError, AttributeError,
            yaml.YAMLError) as err:
        return {"sources": [f"cannot be read: {err!r}"]}
    found = {}
    for subject in SUBJECTS:
        comparison.complaints = []
        getattr(comparison, subject)()
        found[subject] = comparison.complaints
    return found


# What is changed, how, and a word that the complaint must have.
MUTATIONS = (
    (HEADER, r"\tPAXOS_CMD_PULL,\n", "", "PAXOS_CMD_PULL"),
    (HEADER, r"(\tPAXOS_CMD_READ,\n)(\tPAXOS_CMD_LOG_GET,\n)", r"\2\1",
     "PAXOS_CMD_READ"),
    (HEADER, r"\tPAXOS_A_SLOT,\n", "\tPAXOS_A_SLOTS,\n", "PAXOS_A_SLOTS"),
    (HEADER, r"(\tPAXOS_A_Q1,\n)", r"\1\tPAXOS_A_NEW,\n", "PAXOS_A_NEW"),
    (HEADER, r"\tPAXOS_A_MEMBER_PAD,\n", "", "PAXOS_A_MEMBER_PAD"),
    (HEADER, r"(#define PAXOS_A_RECORD_MAX) .*", r"\1 (__PAXOS_A_RECORD_MAX)",
     "PAXOS_A_RECORD_MAX"),
    (HEADER, r"\tPAXOS_NL_KIND_NOOP,\n", "\tPAXOS_NL_KIND_NOOP = 1,\n",
     "PAXOS_NL_KIND_NOOP"),
    (HEADER, r"(#define PAXOS_NL_VALUE_MAX\s+)\d+", r"\g<1>65536",
     "PAXOS_NL_VALUE_MAX"),
    (HEADER, r"#define PAXOS_NL_GROUPS_MAX.*\n", "", "PAXOS_NL_GROUPS_MAX"),
    (HEADER, r'(PAXOS_GENL_NAME\s+)"paxos"', r'\1"raft"', "raft"),
    (HEADER, r'(PAXOS_MCGRP_LOG\s+)"log"', r'\1"chosen"', "log"),
    (HEADER, r"(PAXOS_A_STALLED: )u32", r"\1u64", "PAXOS_A_STALLED"),
    (HEADER, r"(PAXOS_A_MEMBER_PORT: )be16", r"\1u16", "PAXOS_A_MEMBER_PORT"),
    (HEADER, r"PAXOS_CMD_CAMPAIGN \(admin\)", "PAXOS_CMD_CAMPAIGN",
     "PAXOS_CMD_CAMPAIGN"),
    (HEADER, r"enum paxos_nl_phase \{", "enum paxos_nl_phases {",
     "paxos_nl_phase"),
    (SPEC, r"name: group-add\n", "name: group-create\n", "GROUP_CREATE"),
    (SPEC, r"entries: \[ voter, learner, none \]", "entries: [ learner, voter, none ]",
     "PAXOS_NL_ROLE_VOTER"),
    (SPEC, r"(name: q2\n\s+type: )u8", r"\1u16", "PAXOS_A_Q2"),
    (SPEC, r"(name: q1\n[^-]*?max: )64", r"\g<1>32", "PAXOS_A_Q1"),
    (SPEC, r"(name: window\n[^-]*?min: )16", r"\g<1>8", "PAXOS_A_WINDOW"),
    (SPEC, r"exact-len: key-size", "exact-len: 32", "PAXOS_A_KEY"),
    (SPEC, r"(name: port\n\s+type: u16\n)\s+byte-order: big-endian\n", r"\1",
     "PAXOS_A_MEMBER_PORT"),
    (SPEC, r"(name: attach\n.*?)      flags: \[ uns-admin-perm \]\n", r"\1",
     "PAXOS_CMD_ATTACH"),
    (SPEC, r"(name: peer-set\n.*?            - group\n)            - member\n",
     r"\1", "PAXOS_A_MEMBER"),
    (SPEC, r"(name: log\n\s+c-define-name: [\w-]+\n)\s+flags: [^\n]*\n", r"\1",
     "multicast groups"),
    (SPEC, r"mcgrp: events", "mcgrp: news", "PAXOS_CMD_EVENT"),
    (SPEC, r"name: nl-window-max\n    value: 4096",
     "name: nl-window-max\n    value: 8192", "PAXOS_NL_WINDOW_MAX"),
    (SPEC, r"version: 1", "version: 2", "version"),
    (SPEC, r"            - elapsed\n", "            - elapsd\n", "elapsd"),
    (KERNEL, r"\t\[PAXOS_A_EPOCH\] = [^\n]*\n", "", "PAXOS_A_EPOCH"),
    (KERNEL, r"(\[PAXOS_A_FIRST\] = \{ \.type = )NLA_U64", r"\1NLA_U32",
     "PAXOS_A_FIRST"),
    (KERNEL, r"(\[PAXOS_A_TIMEOUT\] = )NLA_POLICY_MIN\(NLA_U32, 1\)",
     r"\1{ .type = NLA_U32 }", "PAXOS_A_TIMEOUT"),
    (KERNEL, r"(\.cmd = PAXOS_CMD_START,\n)\t\t\.flags = [^\n]*\n", r"\1",
     "PAXOS_CMD_START"),
    (KERNEL, r"(\.cmd = PAXOS_CMD_PROPOSE,\n\t\t\.flags = )GENL_UNS_ADMIN_PERM",
     r"\1GENL_ADMIN_PERM", "PAXOS_CMD_PROPOSE"),
    (KERNEL, r"\.policy = paxos_pull_policy", ".policy = paxos_group_policy",
     "PAXOS_CMD_PULL"),
    (KERNEL, r"(\.cmd = PAXOS_CMD_READ,.*?)\.doit = ", r"\1.dumpit = ",
     "PAXOS_CMD_READ"),
    (KERNEL, r"(PAXOS_MCGRP_LOG), \.flags = GENL_MCAST_CAP_NET_ADMIN", r"\1",
     "multicast groups"),
    (KERNEL, r"(\[PAXOS_A_RECORD_SEQ\] = \{ \.type = )NLA_U64", r"\1NLA_U8",
     "PAXOS_A_RECORD_SEQ"),
    (KERNEL, r"\.cmd = PAXOS_CMD_GROUP_DEL", ".cmd = PAXOS_CMD_CHOSEN",
     "PAXOS_CMD_GROUP_DEL"),
)


def mutate(path, pattern, replacement, header, spec, sources):
    if path == KERNEL:
        changed, count = dict(sources), 0
        for name, text in sources.items():
            changed[name], times = re.subn(pattern, replacement, text,
                                           count=1, flags=re.S)
            count += times
        return count, (header, spec, changed)
    text, count = re.subn(pattern, replacement,
                          header if path == HEADER else spec, count=1,
                          flags=0 if path == HEADER else re.S)
    return count, ((text, spec, sources) if path == HEADER else
                   (header, text, sources))


def read(paths):
    header, spec, kernel = paths
    return (open(header).read(), open(spec).read(),
            {path: open(path).read() for path in sorted(glob.glob(kernel))})


def main():
    global PREFIX
    os.chdir(TOP)
    failed = 0

    for PREFIX, *paths in FAMILIES:
        for subject, complaints in compare(*read(paths)).items():
            print(f"{'not ok' if complaints else 'ok'} uapi: "
                  f"{PREFIX.lower()}: {subject}")
            for complaint in complaints:
                print(f"#   {complaint}")
            failed += bool(complaints)
    PREFIX, *paths = FAMILIES[0]
    header, spec, sources = read(paths)
    if "--compare" in sys.argv[1:] or failed:
        return failed != 0

    for path, pattern, replacement, word in MUTATIONS:
        count, changed = mutate(path, pattern, replacement, header, spec,
                                sources)
        complaints = [c for found in compare(*changed).values() for c in found]
        if not count:
            problem = "the place to change is gone: mend the self-test"
        elif not complaints:
            problem = "nobody complained"
        elif not any(word in c for c in complaints):
            problem = f"no complaint names {word}: {complaints}"
        else:
            continue
        print(f"not ok uapi: self-test: {path}: {pattern!r}: {problem}")
        failed += 1
    if not failed:
        print(f"ok uapi: self-test: {len(MUTATIONS)} disagreements were found")
    return failed != 0


if __name__ == "__main__":
    sys.exit(main())
