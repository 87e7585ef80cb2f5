"""The arrangement of FastAPI's tutorial to the letter: one secret that the server signs with and the app checks with.

Whoever reads SECRET_KEY can make tokens for anybody, so every app that checks also has the power to forge. It is here
for apps that are written this way already; main_rs256.py needs no secret.
"""

import os
from typing import Annotated

import jwt
from fastapi import Depends, FastAPI, HTTPException, status
from fastapi.security import OAuth2PasswordBearer
from jwt.exceptions import InvalidTokenError

import local_docs

LATCHSTRING_URL = os.environ.get("LATCHSTRING_URL", "http://127.0.0.1:8080")
SECRET_KEY = os.environ["SECRET_KEY"]
ALGORITHM = "HS256"

app = FastAPI(title="Latchstring with FastAPI, HS256", docs_url=None)
local_docs.serve(app)

oauth2_scheme = OAuth2PasswordBearer(tokenUrl=f"{LATCHSTRING_URL}/token")


def get_current_user_id(token: Annotated[str, Depends(oauth2_scheme)]) -> str:
    credentials_exception = HTTPException(
        status_code=status.HTTP_401_UNAUTHORIZED,
        detail="Could not validate credentials",
        headers={"WWW-Authenticate": "Bearer"},
    )
    try:
        payload = jwt.decode(token, SECRET_KEY, algorithms=[ALGORITHM], options={"require": ["exp", "sub"]})
    except InvalidTokenError:
        raise credentials_exception from None
    return payload["sub"]


@app.get("/users/me")
def read_users_me(user_id: Annotated[str, Depends(get_current_user_id)]) -> dict[str, str]:
    return {"id": user_id}


@app.get("/")
def read_root() -> dict[str, str]:
    return {"hello": "everyone"}
