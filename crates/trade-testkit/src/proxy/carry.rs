//! One connection of a proxy.

use std::{
    io,
    sync::{Arc, atomic::Ordering},
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::watch,
};

use super::{Break, Fault, Line, Shared, Way};

/// Why a connection carries nothing more although nobody closed it in order.
#[derive(Debug, PartialEq, Eq)]
enum Broken {
    /// It is gone.
    Cut,
    /// It stays, and says nothing.
    Stalled,
}

impl From<io::Error> for Broken {
    fn from(_: io::Error) -> Self {
        Self::Cut
    }
}

/// Carries bytes between a client and the server until one of them, a break or the line ends it.
pub(super) async fn carry(near: TcpStream, shared: Arc<Shared>, fault: Option<Break>) {
    let mut line = shared.line.subscribe();
    // They keep the sockets open beyond the end.
    let mut halves = join(near, &shared, fault).await;
    let carried = match &mut halves {
        Ok((there, back)) => tokio::select! {
            biased;
            _changed = line.wait_for(|line| *line != Line::Open) => Err(Broken::Stalled),
            carried = async { tokio::try_join!(there.pass(&shared), back.pass(&shared)) } => carried.map(drop),
        },
        Err(_) => Err(Broken::Cut),
    };
    shared.passing.fetch_sub(1, Ordering::SeqCst);
    if carried == Err(Broken::Stalled) {
        let _cut = line.wait_for(|line| *line == Line::Cut).await;
    }
}

/// Both directions of a connection to the server.
async fn join(near: TcpStream, shared: &Shared, fault: Option<Break>) -> io::Result<(Half, Half)> {
    let now = shared.now.subscribe();
    let far = TcpStream::connect(shared.server).await?;
    near.set_nodelay(true)?;
    far.set_nodelay(true)?;
    let (from_client, to_client) = near.into_split();
    let (from_server, to_server) = far.into_split();
    let half = |way, from, to| Half {
        way,
        from,
        to,
        fault: fault.filter(|fault| fault.way == way),
        now: now.clone(),
    };
    Ok((
        half(Way::ToServer, from_client, to_server),
        half(Way::ToClient, from_server, to_client),
    ))
}

/// One direction of a connection.
#[derive(Debug)]
struct Half {
    way: Way,
    from: OwnedReadHalf,
    to: OwnedWriteHalf,
    fault: Option<Break>,
    now: watch::Receiver<(u64, Option<Break>)>,
}

impl Half {
    async fn pass(&mut self, shared: &Shared) -> Result<(), Broken> {
        let mut bytes = vec![0; 16 * 1024];
        loop {
            if let Some(Break { fault, after: 0, .. }) = self.fault {
                shared.broken.fetch_add(1, Ordering::SeqCst);
                match fault {
                    Fault::Cut => return Err(Broken::Cut),
                    Fault::Stall => return Err(Broken::Stalled),
                    Fault::HalfClose => return self.say_no_more(&mut bytes).await,
                }
            }
            let read = tokio::select! {
                biased;
                Ok(()) = self.now.changed() => {
                    self.fault = self.now.borrow_and_update().1.filter(|fault| fault.way == self.way);
                    continue;
                }
                read = self.from.read(&mut bytes) => read?,
            };
            if read == 0 {
                self.to.shutdown().await?;
                return Ok(());
            }
            self.write(&bytes[..read], shared).await?;
        }
    }

    /// Writes what a break lets through.
    async fn write(&mut self, bytes: &[u8], shared: &Shared) -> Result<(), Broken> {
        let mut passes = bytes.len();
        if let Some(fault) = &mut self.fault {
            passes = passes.min(usize::try_from(fault.after).unwrap_or(usize::MAX));
            fault.after -= u64::try_from(passes).unwrap();
        }
        self.to.write_all(&bytes[..passes]).await?;
        let counter = match self.way {
            Way::ToServer => &shared.to_server,
            Way::ToClient => &shared.to_client,
        };
        counter.fetch_add(u64::try_from(passes).unwrap(), Ordering::SeqCst);
        Ok(())
    }

    /// Closes this way in order; what still comes is thrown away.
    async fn say_no_more(&mut self, bytes: &mut [u8]) -> Result<(), Broken> {
        self.to.shutdown().await?;
        while self.from.read(bytes).await? > 0 {}
        Ok(())
    }
}
