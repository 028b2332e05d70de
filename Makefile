.PHONY: run test test-long check bench docs pictures messages format

# Sets up what is missing, starts everything and serves until Ctrl-C.
run:
	@scripts/setup runtime
	@.venv/bin/acuse serve

test: setup-test
	.venv/bin/python -m pytest -n 2

test-long: setup-test
	.venv/bin/python -m pytest -n 2 --hypothesis-profile=long

.PHONY: setup-test
setup-test:
	@scripts/setup test
	@scripts/packages

check:
	@scripts/setup test
	@scripts/check

bench:
	@scripts/setup test
	@.venv/bin/python scripts/bench.py
	@.venv/bin/python scripts/bench_mail.py

# Draws docs/reference from the code.
docs:
	@scripts/setup test
	@.venv/bin/python scripts/docs.py

# Takes the pictures of docs/pictures from a demo installation.
pictures: setup-test
	@.venv/bin/python scripts/pictures.py

# Puts new texts of the code into the catalogues and writes the compiled ones.
messages:
	@scripts/setup test
	@.venv/bin/python scripts/messages.py update
	@.venv/bin/python scripts/messages.py compile

format:
	@scripts/setup test
	@.venv/bin/ruff format .
	@.venv/bin/ruff check --fix-only .
