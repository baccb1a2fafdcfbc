//! Values on their way into a statement, and rows on their way out, whichever database it is.

use bytes::BytesMut;
use rusqlite::types::{ToSqlOutput, ValueRef};
use tokio_postgres::types::{IsNull, Type, to_sql_checked};

use crate::ledger::Error;

/// One value of a row.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(in crate::ledger) enum Value<'a> {
    Int(i64),
    Text(&'a str),
    Null,
}

impl From<i64> for Value<'_> {
    fn from(number: i64) -> Self {
        Value::Int(number)
    }
}

impl From<Option<i64>> for Value<'_> {
    fn from(number: Option<i64>) -> Self {
        number.map_or(Value::Null, Value::Int)
    }
}

impl<'a> From<&'a str> for Value<'a> {
    fn from(text: &'a str) -> Self {
        Value::Text(text)
    }
}

impl<'a> From<Option<&'a str>> for Value<'a> {
    fn from(text: Option<&'a str>) -> Self {
        text.map_or(Value::Null, Value::Text)
    }
}

impl<'a> From<&'a String> for Value<'a> {
    fn from(text: &'a String) -> Self {
        Value::Text(text)
    }
}

impl<'a> From<&'a Option<String>> for Value<'a> {
    fn from(text: &'a Option<String>) -> Self {
        text.as_deref().into()
    }
}

impl rusqlite::ToSql for Value<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Value::Int(number) => ValueRef::Integer(*number),
            Value::Text(text) => ValueRef::Text(text.as_bytes()),
            Value::Null => ValueRef::Null,
        }))
    }
}

impl tokio_postgres::types::ToSql for Value<'_> {
    fn to_sql(
        &self,
        kind: &Type,
        out: &mut BytesMut,
    ) -> Result<IsNull, Box<dyn std::error::Error + Sync + Send>> {
        match (self, kind) {
            (Value::Int(number), &Type::INT8) => number.to_sql(kind, out),
            // The one character that no text has there.
            (Value::Text(text), &Type::TEXT) if text.contains('\0') => {
                text.replace('\0', "\u{FFFD}").to_sql(kind, out)
            }
            (Value::Text(text), &Type::TEXT) => text.to_sql(kind, out),
            (Value::Null, _) => Ok(IsNull::Yes),
            (value, kind) => Err(format!("{value:?} for a column of {kind}").into()),
        }
    }

    fn accepts(kind: &Type) -> bool {
        matches!(*kind, Type::INT8 | Type::TEXT)
    }

    to_sql_checked!();
}

/// One row of an answer; columns count from 0.
#[derive(Copy, Clone)]
pub(in crate::ledger) enum Row<'a> {
    File(&'a rusqlite::Row<'a>),
    Server(&'a tokio_postgres::Row),
}

impl<'a> Row<'a> {
    /// A whole number.
    pub(in crate::ledger) fn int(self, column: usize) -> Result<i64, Error> {
        Ok(match self {
            Row::File(row) => row.get(column)?,
            Row::Server(row) => row.try_get(column).map_err(Error::Server)?,
        })
    }

    /// A whole number, or nothing.
    pub(in crate::ledger) fn maybe_int(self, column: usize) -> Result<Option<i64>, Error> {
        Ok(match self {
            Row::File(row) => row.get(column)?,
            Row::Server(row) => row.try_get(column).map_err(Error::Server)?,
        })
    }

    /// A whole number that is 0 or 1.
    pub(in crate::ledger) fn flag(self, column: usize) -> Result<bool, Error> {
        Ok(self.int(column)? != 0)
    }

    /// A text.
    pub(in crate::ledger) fn text(self, column: usize) -> Result<&'a str, Error> {
        Ok(match self {
            Row::File(row) => row.get_ref(column)?.as_str().map_err(rusqlite::Error::from)?,
            Row::Server(row) => row.try_get(column).map_err(Error::Server)?,
        })
    }

    /// A text, or nothing.
    pub(in crate::ledger) fn maybe_text(self, column: usize) -> Result<Option<&'a str>, Error> {
        Ok(match self {
            Row::File(row) => row.get_ref(column)?.as_str_or_null().map_err(rusqlite::Error::from)?,
            Row::Server(row) => row.try_get(column).map_err(Error::Server)?,
        })
    }

    /// The same, to be kept.
    pub(in crate::ledger) fn maybe_string(self, column: usize) -> Result<Option<String>, Error> {
        Ok(self.maybe_text(column)?.map(str::to_owned))
    }
}
