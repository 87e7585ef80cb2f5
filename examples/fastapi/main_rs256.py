"""The arrangement of FastAPI's tutorial, with Latchstring's tokens, signed by a key that only the server has (RS256).

The app needs no secret: it fetches the server's public keys. Prefer this one to main_hs256.py.
"""

import os
from typing import Annotated

import jwt
from fastapi import Depends, FastAPI, HTTPException, status
from fastapi.security import OAuth2PasswordBearer

import local_docs

LATCHSTRING_URL = os.environ.get("LATCHSTRING_URL", "http://127.0.0.1:8080")
ALGORITHM = "RS256"

app = FastAPI(title="Latchstring with FastAPI, RS256", docs_url=None)
local_docs.serve(app)

oauth2_scheme = OAuth2PasswordBearer(tokenUrl=f"{LATCHSTRING_URL}/token")
# Keeps the keys for five minutes, and looks again when it meets a token whose key it does not know.
keys = jwt.PyJWKClient(f"{LATCHSTRING_URL}/token/jwks.json")


def get_current_user_id(token: Annotated[str, Depends(oauth2_scheme)]) -> str:
    credentials_exception = HTTPException(
        status_code=status.HTTP_401_UNAUTHORIZED,
        detail="Could not validate credentials",
        headers={"WWW-Authenticate": "Bearer"},
    )
    try:
        key = keys.get_signing_key_from_jwt(token)
        # The algorithm is ours to choose, never the token's.
        payload = jwt.decode(token, key, algorithms=[ALGORITHM], options={"require": ["exp", "sub"]})
    except jwt.PyJWKClientConnectionError:
        # Not the caller's fault, so not a 401: the client would throw a good token away.
        raise HTTPException(status.HTTP_503_SERVICE_UNAVAILABLE, "The keys cannot be fetched now") from None
    except jwt.PyJWTError:
        raise credentials_exception from None
    return payload["sub"]


@app.get("/users/me")
def read_users_me(user_id: Annotated[str, Depends(get_current_user_id)]) -> dict[str, str]:
    return {"id": user_id}


@app.get("/")
def read_root() -> dict[str, str]:
    return {"hello": "everyone"}
