"""The compiled path: a fitted model as ONNX, compared, and served without pickle or scikit-learn."""
