"""scikit-learn's modules."""

from __future__ import annotations

from types import ModuleType
from typing import Any

from .registry import Offer


def mend_cross_validation(module: ModuleType, offer: Offer) -> None:
    from sklearn import model_selection

    names = vars(module)
    names.update(
        {name: value for name, value in vars(model_selection).items() if not name.startswith("_")}
    )

    def splits(kind: Any, by_labels: bool) -> Any:
        """Those that were made of the number of rows, or of labels, and walked over."""

        def make(rows: Any, n_folds: Any = None, **words: Any) -> Any:
            import numpy as np

            words.pop("indices", None)
            count = n_folds if n_folds is not None else words.pop("n_iter", 3)
            words.setdefault("n_splits", count)
            labels = np.asarray(rows) if by_labels else np.zeros(int(rows))
            return list(kind(**words).split(np.zeros(len(labels)), labels))

        return make

    names["KFold"] = splits(model_selection.KFold, by_labels=False)
    names["StratifiedKFold"] = splits(model_selection.StratifiedKFold, by_labels=True)
    names["ShuffleSplit"] = splits(model_selection.ShuffleSplit, by_labels=False)
    names["StratifiedShuffleSplit"] = splits(model_selection.StratifiedShuffleSplit, by_labels=True)


def mend_grid_search(module: ModuleType, offer: Offer) -> None:
    from sklearn import model_selection

    for name in ("GridSearchCV", "RandomizedSearchCV", "ParameterGrid", "ParameterSampler"):
        setattr(module, name, getattr(model_selection, name))


def mend_externals(module: ModuleType, offer: Offer) -> None:
    import joblib

    module.joblib = joblib  # type: ignore[attr-defined]


def mend_linear_model(module: ModuleType, offer: Offer) -> None:
    """``SGDClassifier(loss="log", n_iter=...)``: both have other names now."""

    def change(kind: Any) -> Any:
        class Old(kind):  # type: ignore[misc]
            def __init__(self, loss: Any = "hinge", n_iter: Any = None, **words: Any) -> None:
                if n_iter is not None:
                    words.setdefault("max_iter", n_iter)
                    words.setdefault("tol", None)
                super().__init__(loss={"log": "log_loss"}.get(loss, loss), **words)

            @classmethod
            def _get_param_names(cls) -> Any:
                return kind._get_param_names()

        Old.__name__ = Old.__qualname__ = kind.__name__
        return Old

    offer.replace(module, "SGDClassifier", change)
