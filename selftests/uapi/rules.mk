# SPDX-License-Identifier: GPL-2.0
# Header, specification and policies agree; a stage of scripts/static, too.
check-uapi:
	@selftests/uapi/check.py
.PHONY: check-uapi
