//! One row for each call as a Parquet file, with the columns of the CSV in their types; instants are milliseconds in UTC.

use std::io::Write;
use std::sync::Arc;

use parquet::basic::Compression;
use parquet::data_type::{ByteArray, ByteArrayType, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::parser::parse_message_type;

use super::Error;
use super::calls::{COLUMNS, Field, Type, fields};
use crate::ledger::Entry;

/// How many calls are kept in memory and written together.
const ROW_GROUP: usize = 32_768;

/// Writes the calls that `give` hands to its argument.
pub(super) fn write(
    out: &mut (impl Write + Send),
    give: impl FnOnce(&mut dyn FnMut(Entry) -> Result<(), Error>) -> Result<(), Error>,
) -> Result<(), Error> {
    let properties = WriterProperties::builder().set_compression(Compression::SNAPPY).build();
    let schema = Arc::new(parse_message_type(&schema())?);
    let mut file = SerializedFileWriter::new(out, schema, Arc::new(properties))?;
    let mut rows: Vec<[Field; COLUMNS.len()]> = Vec::new();
    give(&mut |entry| {
        rows.push(fields(&entry));
        if rows.len() == ROW_GROUP {
            write_group(&mut file, &rows)?;
            rows.clear();
        }
        Ok(())
    })?;
    if !rows.is_empty() {
        write_group(&mut file, &rows)?;
    }
    file.close()?;
    Ok(())
}

fn schema() -> String {
    let column = |(name, of): (&str, Type)| match of {
        Type::Signed => format!("optional int64 {name};"),
        Type::Unsigned => format!("optional int64 {name} (INTEGER(64,false));"),
        Type::Time => format!("optional int64 {name} (TIMESTAMP(MILLIS,true));"),
        Type::Text => format!("optional binary {name} (UTF8);"),
    };
    format!("message calls {{ {} }}", COLUMNS.map(column).join(" "))
}

fn write_group<W: Write + Send>(
    file: &mut SerializedFileWriter<W>,
    rows: &[[Field; COLUMNS.len()]],
) -> Result<(), ParquetError> {
    let mut group = file.next_row_group()?;
    for (at, (_, of)) in COLUMNS.into_iter().enumerate() {
        let column = rows.iter().map(|row| &row[at]);
        let known: Vec<i16> = column.clone().map(|field| i16::from(*field != Field::Nothing)).collect();
        match of {
            Type::Text => write_texts(&mut group, column, &known)?,
            _ => write_numbers(&mut group, column, &known)?,
        }
    }
    group.close()?;
    Ok(())
}

fn write_numbers<'a, W: Write + Send>(
    group: &mut SerializedRowGroupWriter<'_, W>,
    column: impl Iterator<Item = &'a Field>,
    known: &[i16],
) -> Result<(), ParquetError> {
    let number = |field: &Field| match field {
        Field::Signed(number) => Some(*number),
        Field::Unsigned(number) => Some(number.cast_signed()),
        Field::Time(wall) => Some(wall.0),
        Field::Nothing | Field::Text(_) => None,
    };
    let numbers: Vec<i64> = column.filter_map(number).collect();
    let Some(mut writer) = group.next_column()? else { return Ok(()) };
    writer.typed::<Int64Type>().write_batch(&numbers, Some(known), None)?;
    writer.close()
}

fn write_texts<'a, W: Write + Send>(
    group: &mut SerializedRowGroupWriter<'_, W>,
    column: impl Iterator<Item = &'a Field>,
    known: &[i16],
) -> Result<(), ParquetError> {
    let text = |field: &Field| match field {
        Field::Text(text) => Some(ByteArray::from(text.as_str())),
        _ => None,
    };
    let texts: Vec<ByteArray> = column.filter_map(text).collect();
    let Some(mut writer) = group.next_column()? else { return Ok(()) };
    writer.typed::<ByteArrayType>().write_batch(&texts, Some(known), None)?;
    writer.close()
}
